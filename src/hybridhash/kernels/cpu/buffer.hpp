// Memory that is kept between calls and holds whatever was written last: a step needs the same room every time,
// and fresh pages from the system cost more than the work done in them.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

namespace hybridhash {

template <class T>
class Buffer {
 public:
    // Room for count elements. New memory is zero; memory used before is as it was left.
    T* room(size_t count) {
        if (count > size_) {
            size_ = count + count / 4 + 64;
            data_.reset(new T[size_]());
        }
        return data_.get();
    }

 private:
    std::unique_ptr<T[]> data_;
    size_t size_ = 0;
};

}  // namespace hybridhash
