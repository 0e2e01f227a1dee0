// Rows of Python objects to keys. Objects of the common types are read here; a column that holds any other, or lacks a
// value, goes to the definition in Python (data/encode.py), which reads it or says what is wrong with it. The lock of the
// interpreter is held throughout.
#include <charconv>
#include <cmath>

#include "module.hpp"
#include "values.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

using Keys = std::vector<int64_t>;
using Int64Array = nb::ndarray<nb::numpy, int64_t, nb::ndim<1>, nb::c_contig>;

// Forgets an exception of Python: what could not be read goes to the definition.
bool unusual() {
    PyErr_Clear();
    return false;
}

bool is_null(PyObject* value) {
    return value == Py_None || (PyFloat_Check(value) && std::isnan(PyFloat_AsDouble(value)));
}

std::optional<std::string_view> utf8_of(PyObject* text) {
    Py_ssize_t size;
    const char* const data = PyUnicode_AsUTF8AndSize(text, &size);
    if (!data) return unusual(), std::nullopt;  // a lone surrogate
    return std::string_view(data, (size_t)size);
}

// The 64 bits of a Python integer in [-2**63, 2**64), and whether they are of a negative one.
bool word_of(PyObject* integer, uint64_t& word, bool& is_negative) {
    int overflow;
    const long long small = PyLong_AsLongLongAndOverflow(integer, &overflow);
    if (small == -1 && !overflow && PyErr_Occurred()) return unusual();
    is_negative = overflow < 0 || (!overflow && small < 0);
    word = (uint64_t)small;
    if (!overflow) return true;
    if (overflow < 0) return false;
    word = PyLong_AsUnsignedLongLong(integer);
    return word != (uint64_t)-1 || !PyErr_Occurred() || unusual();
}

bool key_of_integer(const FeatureRules& rules, PyObject* integer, int64_t& key) {
    if (rules.values == FeatureRules::Values::texts && PyBool_Check(integer)) return false;  // which text is not known
    uint64_t word;
    bool is_negative;
    if (!word_of(integer, word, is_negative)) return false;
    if (rules.values == FeatureRules::Values::integers) {
        key = rules.key_of_word(word);
        return true;
    }
    char text[24];
    const char* const end = is_negative ? std::to_chars(text, text + sizeof text, (int64_t)word).ptr
                                        : std::to_chars(text, text + sizeof text, word).ptr;
    key = rules.key_of_bytes({text, (size_t)(end - text)});
    return true;
}

bool key_of_text(const FeatureRules& rules, std::string_view text, int64_t& key) {
    if (rules.values == FeatureRules::Values::texts) {
        key = rules.key_of_bytes(text);
        return true;
    }
    uint64_t word;
    if (!parse_integer(text, word)) return false;
    key = rules.key_of_word(word);
    return true;
}

bool key_of_number(const FeatureRules& rules, PyObject* value, int64_t& key) {
    double number;
    if (PyFloat_Check(value)) {
        number = PyFloat_AsDouble(value);
    } else if (PyLong_Check(value)) {
        number = PyLong_AsDouble(value);
        if (number == -1 && PyErr_Occurred()) return unusual();
    } else {
        return false;
    }
    key = rules.key_of_number(number);
    return !std::isinf(number);
}

// The key of one value that is no list; false for what only the definition reads.
bool key_of(const FeatureRules& rules, PyObject* value, int64_t& key) {
    if (is_null(value)) {
        key = rules.null_key;
        return true;
    }
    if (rules.values == FeatureRules::Values::numbers) return key_of_number(rules, value, key);
    if (PyUnicode_Check(value)) {
        const auto text = utf8_of(value);
        return text && key_of_text(rules, *text, key);
    }
    if (PyLong_Check(value)) return key_of_integer(rules, value, key);
    if (!PyIndex_Check(value)) return false;
    const nb::object integer = nb::steal(PyNumber_Index(value));  // of numpy, among others
    return integer.is_valid() ? key_of_integer(rules, integer.ptr(), key) : unusual();
}

// The elements of a text with separators; an empty one is a null.
bool add_parts(const FeatureRules& rules, std::string_view text, std::string_view separator, Keys& keys) {
    for (size_t start = 0; start <= text.size();) {
        const size_t end = std::min(text.find(separator, start), text.size());
        int64_t key = rules.null_key;
        if (end > start && !key_of_text(rules, text.substr(start, end - start), key)) return false;
        keys.push_back(key);
        start = end + separator.size();
    }
    return true;
}

// Reads the elements of a list or tuple one by one; they are held while they are read.
template <class Read>
bool for_each(PyObject* sequence, const Read& read) {
    const bool is_list = PyList_Check(sequence);
    for (Py_ssize_t i = 0; i < (is_list ? PyList_Size(sequence) : PyTuple_Size(sequence)); ++i) {
        const nb::object element = nb::borrow(is_list ? PyList_GetItem(sequence, i) : PyTuple_GetItem(sequence, i));
        if (!read(element.ptr())) return false;
    }
    return true;
}

bool is_sequence(PyObject* value) { return PyList_Check(value) || PyTuple_Check(value); }

bool add_list(const FeatureRules& rules, PyObject* value, std::string_view separator, Keys& keys) {
    if (is_null(value)) {
        keys.push_back(rules.null_key);
        return true;
    }
    if (PyUnicode_Check(value)) {
        const auto text = utf8_of(value);
        if (!text) return false;
        if (!text->empty()) return add_parts(rules, *text, separator, keys);
        keys.push_back(rules.null_key);
        return true;
    }
    const auto add = [&](PyObject* element) {
        int64_t key;
        if (!key_of(rules, element, key)) return false;
        keys.push_back(key);
        return true;
    };
    if (is_sequence(value)) return for_each(value, add);
    if (!PyObject_HasAttrString(value, "__array__")) return false;
    const nb::object list = nb::steal(PySequence_List(value));  // an array of a cell
    return list.is_valid() ? for_each(list.ptr(), add) : unusual();
}

class ValueEncoder {
 public:
    explicit ValueEncoder(std::string separator) : separator_(std::move(separator)) {
        require(!separator_.empty(), "separator: expected one character or more");
    }

    void add(nb::str name, int values, bool is_list, uint64_t salt, int64_t null_key, std::vector<double> edges,
             std::vector<size_t> parts) {
        require(values >= 0 && values <= (int)FeatureRules::Values::keys, "values: expected 0 to 3");
        for (const size_t part : parts)
            require(part < rules_.size() && !rules_[part].is_list, "parts: expected places of features that are no lists");
        PyObject* text = name.release().ptr();
        PyUnicode_InternInPlace(&text);  // as the names in rows mostly are: then they are compared by address
        names_.push_back(nb::steal<nb::str>(text));
        rules_.push_back({(FeatureRules::Values)values, is_list, salt, null_key, std::move(edges), std::move(parts)});
    }

    // Keys and offsets of dicts by name; None when a row is no dict.
    nb::object rows(nb::object rows, nb::callable fallback) const {
        if (!is_sequence(rows.ptr())) return nb::none();
        size_t num_rows = 0;
        const auto count = [&](PyObject* row) { return ++num_rows, PyDict_Check(row); };
        if (!for_each(rows.ptr(), count)) return nb::none();
        const std::vector<bool> is_shared(rules_.size(), false);
        return encode(num_rows, is_shared, fallback, [&](size_t feature, Keys& keys, Keys& offsets) {
            return for_each(rows.ptr(), [&](PyObject* row) {
                if (!PyDict_Check(row)) return false;
                PyObject* const value = PyDict_GetItemWithError(row, names_[feature].ptr());
                return value ? add_row(rules_[feature], nb::borrow(value), keys, offsets) : unusual();
            });
        });
    }

    // Keys and offsets of columns, one for each feature but crosses; is_shared: of one value, that of all rows.
    nb::object columns(nb::list columns, std::vector<bool> is_shared, size_t num_rows, nb::callable fallback) const {
        require(columns.size() == is_shared.size(), "is_shared: expected one for each column");
        return encode(num_rows, is_shared, fallback, [&](size_t feature, Keys& keys, Keys& offsets) {
            const nb::object column = columns[feature];
            return is_sequence(column.ptr()) && for_each(column.ptr(), [&](PyObject* value) {
                       return add_row(rules_[feature], nb::borrow(value), keys, offsets);
                   });
        });
    }

 private:
    bool add_row(const FeatureRules& rules, const nb::object& value, Keys& keys, Keys& offsets) const {
        if (rules.is_list) {
            if (!add_list(rules, value.ptr(), separator_, keys)) return false;
        } else {
            int64_t key;
            if (!key_of(rules, value.ptr(), key)) return false;
            keys.push_back(key);
        }
        offsets.push_back((int64_t)keys.size());
        return true;
    }

    // Gives every row the keys from first_key on, which are those of the one row that there is.
    static void repeat(size_t first_key, size_t num_rows, Keys& keys, Keys& offsets) {
        const size_t length = keys.size() - first_key;
        offsets.pop_back();
        keys.resize(first_key + length * num_rows);
        for (size_t i = first_key + length; i < keys.size(); ++i) keys[i] = keys[i - length];
        for (size_t row = 1; row <= num_rows; ++row) offsets.push_back((int64_t)(first_key + length * row));
    }

    template <class Read>
    nb::object encode(size_t num_rows, const std::vector<bool>& is_shared, const nb::callable& fallback,
                      const Read& read) const {
        Keys keys, offsets;
        keys.reserve(num_rows * rules_.size());
        offsets.reserve(num_rows * rules_.size() + 1);
        offsets.push_back(0);
        for (size_t feature = 0; feature < rules_.size(); ++feature) {
            const size_t first_key = keys.size(), first_offset = offsets.size();
            if (rules_[feature].values == FeatureRules::Values::keys) {
                add_cross(rules_[feature], num_rows, keys, offsets);
                continue;
            }
            require(feature < is_shared.size(), "columns: expected one for each feature that is no cross");
            if (!read(feature, keys, offsets)) {
                keys.resize(first_key);
                offsets.resize(first_offset);
                add_definition(fallback(feature), keys, offsets);
            }
            const size_t expected = is_shared[feature] ? 1 : num_rows;
            require(offsets.size() == first_offset + expected, "columns: expected a value for each row, or one for all");
            if (is_shared[feature]) repeat(first_key, num_rows, keys, offsets);
        }
        return nb::make_tuple(to_numpy(std::move(keys)), to_numpy(std::move(offsets)));
    }

    // Keys that the definition found, with the offsets of the rows or none for a key each.
    static void add_definition(const nb::object& found, Keys& keys, Keys& offsets) {
        const auto own = nb::cast<Array<int64_t>>(found[0]);
        const auto own_offsets = nb::cast<std::optional<Array<int64_t>>>(found[1]);
        const int64_t first = (int64_t)keys.size();
        keys.insert(keys.end(), own.data(), own.data() + own.shape(0));
        if (!own_offsets) {
            for (size_t row = 1; row <= own.shape(0); ++row) offsets.push_back(first + (int64_t)row);
            return;
        }
        require(own_offsets->shape(0) >= 1 && own_offsets->data()[own_offsets->shape(0) - 1] == (int64_t)own.shape(0),
                "offsets: expected the last to be the number of keys");
        for (size_t row = 1; row < own_offsets->shape(0); ++row) offsets.push_back(first + own_offsets->data()[row]);
    }

    // Features that are no lists stand first, a key a row: part p begins at key p * num_rows.
    static void add_cross(const FeatureRules& rules, size_t num_rows, Keys& keys, Keys& offsets) {
        for (size_t row = 0; row < num_rows; ++row) {
            uint64_t word = rules.salt;
            for (const size_t part : rules.parts) word = cross_word(word, keys[part * num_rows + row]);
            keys.push_back((int64_t)word);
            offsets.push_back((int64_t)keys.size());
        }
    }

    static Int64Array to_numpy(Keys&& values) {
        auto* const kept = new Keys(std::move(values));
        nb::capsule owner(kept, [](void* keys) noexcept { delete (Keys*)keys; });
        return Int64Array(kept->data(), {kept->size()}, owner);
    }

    std::string separator_;
    std::vector<nb::str> names_;
    std::vector<FeatureRules> rules_;
};

}  // namespace

void bind_values(nb::module_& m) {
    nb::class_<ValueEncoder>(m, "ValueEncoder", "Gives the values of rows their keys, by the rules of a schema.")
        .def(nb::init<std::string>(), nb::arg("separator"))
        .def("add", &ValueEncoder::add, nb::arg("name"), nb::arg("values"), nb::arg("is_list"), nb::arg("salt"),
             nb::arg("null_key"), nb::arg("edges"), nb::arg("parts"), "Adds a feature, in the order of the schema.")
        .def("rows", &ValueEncoder::rows, nb::arg("rows"), nb::arg("fallback"),
             "Keys and offsets of a list of dicts; None for other rows. fallback(feature) gives those of a column.")
        .def("columns", &ValueEncoder::columns, nb::arg("columns"), nb::arg("is_shared"), nb::arg("num_rows"),
             nb::arg("fallback"), "Keys and offsets of columns, one for each feature but crosses.");
}

}  // namespace hybridhash
