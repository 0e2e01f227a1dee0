#include "pool.hpp"

#include <algorithm>

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#include <pthread.h>
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hybridhash {

namespace {

constexpr int kSpins = 2000;  // a few tens of microseconds, about the gap between two calls of a step

Pool* current = nullptr;

inline void relax() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

// The threads of the parent, OpenMP's among them, do not exist in a forked child, which starts a pool of its own.
// The parent's object is left as it is: its locks may be held by threads that are gone.
void forget() { current = new Pool; }

}  // namespace

Pool& Pool::instance() {
    static std::once_flag once;
    std::call_once(once, [] {
        current = new Pool;  // never destroyed: its threads outlive static destructors
#if defined(__unix__) || defined(__APPLE__)
        pthread_atfork(nullptr, nullptr, forget);
#endif
    });
    return *current;
}

void Pool::grow(int num_helpers) {
    for (; num_helpers_ < num_helpers; ++num_helpers_) std::thread([this] { help(); }).detach();
}

bool Pool::use_openmp_of([[maybe_unused]] const char* library) {
#if defined(__unix__) || defined(__APPLE__)
    void* handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (handle == nullptr) return false;
    if (void* found = dlsym(handle, "GOMP_parallel")) {  // looked for in what the library depends on, too
        parallel_region_ = (ParallelRegion)found;
        return true;
    }
#endif
    return false;
}

void Pool::work(void* of) {
    Job& job = *(Job*)of;
    try {
        for (int index; (index = job.next.fetch_add(1, std::memory_order_relaxed)) < job.num_tasks;)
            (*job.task)(index);
    } catch (...) {
        std::lock_guard<std::mutex> lock(job.failing);
        if (!job.failure) job.failure = std::current_exception();
        job.next = job.num_tasks;
    }
}

void Pool::help() {
    unsigned seen = 0;
    for (;;) {
        for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; ++spin) relax();
        Job* job;
        {
            std::unique_lock<std::mutex> lock(mutex_);
            wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
            seen = generation_.load(std::memory_order_relaxed);
            job = job_;
            if (job == nullptr || job->helpers_wanted == 0) continue;
            --job->helpers_wanted;
            ++job->helpers_inside;
        }
        work(job);
        {
            std::lock_guard<std::mutex> lock(mutex_);
            --job->helpers_inside;
        }
        done_.notify_one();
    }
}

void Pool::run(int num_threads, int num_tasks, const std::function<void(int)>& task) {
    if (num_threads <= 1 || num_tasks <= 1) {
        for (int index = 0; index < num_tasks; ++index) task(index);
        return;
    }
    Job job;
    job.task = &task;
    job.num_tasks = num_tasks;
    // Always as many threads as torch takes: OpenMP ends those that a smaller team leaves over, and torch starts them
    // again.
    if (const ParallelRegion parallel_region = parallel_region_) parallel_region(work, &job, (unsigned)num_threads, 0);
    else run_on_own_threads(std::min(num_threads, num_tasks), job);
    if (job.failure) std::rethrow_exception(job.failure);
}

void Pool::run_on_own_threads(int num_threads, Job& job) {
    std::lock_guard<std::mutex> call(calls_);
    job.helpers_wanted = num_threads - 1;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        grow(num_threads - 1);
        job_ = &job;
        generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    work(&job);
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = nullptr;  // no further helper may join
    for (int spin = 0; job.helpers_inside > 0 && spin < kSpins; ++spin) {
        lock.unlock();
        relax();
        lock.lock();
    }
    done_.wait(lock, [&] { return job.helpers_inside == 0; });
}

}  // namespace hybridhash
