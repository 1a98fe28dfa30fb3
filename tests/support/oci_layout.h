#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ingot::test {

// A tar written header by header, so that it can hold what no honest program would pack.
class TarBytes {
 public:
  TarBytes& directory(const std::string& name, unsigned mode = 0755);
  TarBytes& file(const std::string& name, const std::string& text, unsigned mode = 0644);
  TarBytes& symlink(const std::string& name, const std::string& target);
  TarBytes& hard_link(const std::string& name, const std::string& target);
  TarBytes& character_device(const std::string& name, unsigned major, unsigned minor);
  // Of the next entry.
  TarBytes& owner(unsigned uid, unsigned gid);
  TarBytes& attribute(const std::string& name, const std::string& value);

  std::string bytes() const;  // with the end mark

 private:
  void add(char type, const std::string& name, const std::string& text, unsigned mode, const std::string& link = {});
  std::string bytes_;
  std::string device_major_;
  std::string device_minor_;
  unsigned uid_ = 0;
  unsigned gid_ = 0;
};

const char* this_architecture();  // as images name it

// An OCI image layout on disk, written piece by piece; each piece's descriptor can be changed before it is used. Throws
// when the disk refuses.
class OciLayout {
 public:
  explicit OciLayout(std::filesystem::path directory);

  nlohmann::json add_blob(const std::string& bytes, const std::string& media_type);  // its descriptor
  // A manifest of these layers, which are tars as they are or compressed. `config` is the section of that name; the
  // image says that it is for this architecture, or nothing.
  nlohmann::json add_image(const std::vector<std::string>& layers, const nlohmann::json& config,
                           const std::string& architecture = this_architecture());
  nlohmann::json add_index(const std::vector<nlohmann::json>& descriptors);
  void write_index(const std::vector<nlohmann::json>& descriptors);  // index.json: the layout is complete

  const std::filesystem::path& path() const { return directory_; }
  std::filesystem::path blob(const nlohmann::json& descriptor) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace ingot::test
