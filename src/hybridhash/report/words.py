"""One line on what each word of the report means."""

from typing import Final

TERMS: Final = {
    "RCE": "by how many percent the log loss is below that of predicting the mean label; higher is better, "
    "0 is no skill",
    "± and error bars": "one sample standard deviation over the seeds",
    "AUC": "the chance that a positive row is ranked above a negative one; higher is better, 0.5 is no skill",
    "GAUC": "AUC within each group, such as a user, averaged by the groups' rows; groups of one label are left out",
    "NDCG@10": "how near the positive rows of a group are to the top of its ranking; 1 has all of them on top",
    "log loss": "mean cross entropy in nats; lower is better",
    "normalised entropy": "log loss as a share of that of predicting the mean label; lower is better",
    "calibration": "mean prediction over mean label; 1 is right, above 1 predicts too much",
    "best reachable": "the RCE of the process that made the labels, where the data is synthetic",
    "embeddings": "all bytes that ship to turn keys into vectors, dictionary included; 1 MB is 10^6 bytes",
    "ledger": "every byte of the model by part",
    "exclusive, partly, fully shared": "traffic whose key shares none, some or all of its rows",
    "key": "one value of one feature",
    "top 1k": "the share of the feature's traffic on its 1000 most frequent keys",
    "singletons": "keys that occur once in the training span",
    "unseen": "the share of the test span's traffic with keys that the training span does not have",
}
