// A stand-in for ESPHome's preferences: a flash with whole values written until the power is cut.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <vector>

namespace esphome {

/// Keeps each value whole or not at all, as the NVS of an ESP32 does.
struct Flash {
  std::map<uint32_t, std::vector<uint8_t>> values;
  /// Writes until the power is cut; what comes later does not reach the flash.
  size_t writes_left{std::numeric_limits<size_t>::max()};
  size_t writes{0};
  /// Takes nothing, and says so, as a worn flash.
  bool refuses{false};

  void write(uint32_t key, const void *data, size_t size) {
    if (this->writes_left == 0 || this->refuses)
      return;
    this->writes_left--;
    this->writes++;
    const auto *bytes = static_cast<const uint8_t *>(data);
    this->values[key].assign(bytes, bytes + size);
  }
  bool read(uint32_t key, void *data, size_t size) const {
    const auto found = this->values.find(key);
    if (found == this->values.end() || found->second.size() != size)
      return false;
    std::memcpy(data, found->second.data(), size);
    return true;
  }
};

class ESPPreferenceObject {
 public:
  ESPPreferenceObject() = default;
  ESPPreferenceObject(Flash *flash, uint32_t key) : flash_(flash), key_(key) {}
  template<typename T> bool save(const T *value) {
    this->flash_->write(this->key_, value, sizeof(T));
    return !this->flash_->refuses;
  }
  template<typename T> bool load(T *value) { return this->flash_->read(this->key_, value, sizeof(T)); }

 protected:
  Flash *flash_{nullptr};
  uint32_t key_{0};
};

struct Preferences {
  Flash flash;
  template<typename T> ESPPreferenceObject make_preference(uint32_t key, bool /* in_flash */) {
    return {&this->flash, key};
  }
  bool sync() { return true; }
};

inline Preferences *global_preferences = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace esphome
