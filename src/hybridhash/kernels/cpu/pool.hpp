// Threads that stay between calls. Work is cut into numbered tasks; which thread runs a task must never change its
// result. The threads are those of the OpenMP library that torch uses, if it is named: after each operator of torch
// they wait busily for the next, and would take the cores from threads of our own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hybridhash {

class Pool {
 public:
    static Pool& instance();

    // Takes the threads of the OpenMP library that a loaded library depends on; says whether it could.
    bool use_openmp_of(const char* library);

    // Runs task(0) .. task(num_tasks - 1) on up to num_threads threads, the caller's among them. What a task throws
    // is thrown again here, once no thread works any more.
    void run(int num_threads, int num_tasks, const std::function<void(int)>& task);

 private:
    struct Job {
        const std::function<void(int)>* task = nullptr;
        int num_tasks = 0;
        int helpers_wanted = 0;  // threads that may still join
        int helpers_inside = 0;
        std::atomic<int> next{0};
        std::mutex failing;
        std::exception_ptr failure;
    };

    using ParallelRegion = void (*)(void (*)(void*), void*, unsigned, unsigned);  // GOMP_parallel

    void run_on_own_threads(int num_threads, Job& job);
    void grow(int num_helpers);
    void help();
    static void work(void* job);

    std::atomic<ParallelRegion> parallel_region_{nullptr};
    std::mutex calls_;  // one call at a time
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    Job* job_ = nullptr;
    std::atomic<unsigned> generation_{0};
    int num_helpers_ = 0;
};

}  // namespace hybridhash
