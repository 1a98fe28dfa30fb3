#include "daemon/store/layer_files.h"

#include <fcntl.h>

namespace ingot::store {

Result<LayerFiles> LayerFiles::open(const std::vector<sys::fs::path>& layers) {
  LayerFiles files;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    INGOT_TRY(auto root, sys::RootedDir::open(*layer));
    files.layers_.push_back({layer->filename(), std::move(root)});
  }
  return files;
}

std::optional<LayerFiles::File> LayerFiles::find(const std::string& path, const struct stat& shown) const {
  for (const auto& layer : layers_) {
    auto fd = layer.root.open_path(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fd) continue;
    struct stat file {};
    // The stack shows a file under its own number; anything else is another's, or hidden.
    const bool is_it = fstat(fd->get(), &file) == 0 && S_ISREG(file.st_mode) && file.st_ino == shown.st_ino;
    return is_it ? std::optional(File{std::move(*fd), layer.name}) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ingot::store
