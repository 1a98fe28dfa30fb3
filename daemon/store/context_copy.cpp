#include "daemon/store/context_copy.h"

#include <fcntl.h>

#include "daemon/store/accounts.h"
#include "daemon/store/context_selection.h"
#include "daemon/store/copy_target.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::store {

namespace {

using proto::EntryType;
using proto::ManifestEntry;

std::size_t prefix_of(const ManifestEntry& directory) {
  return directory.path.empty() ? 0 : directory.path.size() + 1;
}

class ContextCopier {
 public:
  ContextCopier(const graph::CopyOp& op, const ContextTree& context, const BlobStore& blobs, const sys::RootedDir& root,
                LayerLinks* links)
      : op_(op), selection_(op, context), blobs_(blobs), root_(root), links_(links), target_(root) {}

  Status run() {
    if (!op_.chown.empty()) {
      INGOT_TRY(owner_, find_account(root_, op_.chown));
    }
    INGOT_TRY(auto sources, selection_.sources());
    if (sources.empty()) return {};
    const bool several = sources.size() > 1 || op_.sources.size() > 1;
    const bool into = op_.destination_is_directory || several || target_.is_directory(op_.destination);
    for (const auto& source : sources) INGOT_CHECK(copy(source, into));
    return target_.set_directory_times();
  }

 private:
  Status copy(const ContextSelection::Source& source, bool into) {
    const bool is_directory = source.entry->type == EntryType::directory;
    const std::string target = place_of(op_, source.name, is_directory, into);
    INGOT_CHECK(target_.make_parents(parent_path(target), owner_.uid, owner_.gid));
    return is_directory ? copy_directory(*source.entry, target) : put(*source.entry, target);
  }

  Status copy_directory(const ManifestEntry& source, const std::string& target) {
    INGOT_TRY(bool made, target_.make_directory(target));
    // What was there before keeps its attributes, but for what lies below it.
    if (made) INGOT_CHECK(target_.set_directory_attributes(target, attributes_of(source)));
    const std::size_t prefix = prefix_of(source);
    for (const ManifestEntry* entry : selection_.below(source)) {
      INGOT_CHECK(put(*entry, below(target, entry->path.substr(prefix))));
    }
    return {};
  }

  Status put(const ManifestEntry& entry, const std::string& target) {
    if (entry.type == EntryType::symlink) return target_.put_symlink(target, entry.link_target, attributes_of(entry));
    if (entry.type == EntryType::file) return put_file(entry, target);
    INGOT_CHECK(target_.make_directory(target));
    return target_.set_directory_attributes(target, attributes_of(entry));
  }

  Status put_file(const ManifestEntry& entry, const std::string& target) {
    INGOT_TRY(auto digest, base::Digest::parse(entry.digest));
    const CopyAttributes attributes = attributes_of(entry);
    if (links_ != nullptr) {
      INGOT_TRY(auto holder, target_.make_room(target));
      if (links_->note_blob(digest, holder, base_name(target), attributes)) return {};
    }
    INGOT_TRY(auto from, sys::open_file(blobs_.path(digest), O_RDONLY));
    return target_.put_file(target, attributes,
                            [&](int to) { return sys::copy_bytes(from.get(), to, "COPY to " + target); });
  }

  CopyAttributes attributes_of(const ManifestEntry& entry) const {
    CopyAttributes attributes;
    attributes.uid = owner_.uid;
    attributes.gid = owner_.gid;
    attributes.mode = op_.chmod.value_or(entry.mode);
    if (op_.keep_ts) {
      constexpr std::int64_t kSecond = 1'000'000'000;
      const std::int64_t nanoseconds = ((entry.mtime_ns % kSecond) + kSecond) % kSecond;
      attributes.time = {(entry.mtime_ns - nanoseconds) / kSecond, nanoseconds};
    }
    return attributes;
  }

  const graph::CopyOp& op_;
  ContextSelection selection_;
  const BlobStore& blobs_;
  const sys::RootedDir& root_;
  LayerLinks* links_;
  CopyTarget target_;
  Account owner_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> selected_files(const graph::CopyOp& op, const ContextTree& context) {
  std::vector<std::pair<std::string, std::string>> files;
  const ContextSelection selection(op, context);
  const auto sources = selection.sources();
  if (!sources) return files;
  const auto add = [&](const ManifestEntry& entry, const std::string& name) {
    std::string what = std::to_string(static_cast<int>(entry.type));
    if (entry.type != EntryType::symlink && !op.chmod) what += " " + std::to_string(entry.mode);
    if (op.keep_ts) what += " " + std::to_string(entry.mtime_ns);
    files.emplace_back(name, what + " " + (entry.type == EntryType::file ? entry.digest : entry.link_target));
  };
  for (const auto& source : *sources) {
    add(*source.entry, source.name);
    if (source.entry->type != EntryType::directory) continue;
    const std::string prefix = source.name.empty() ? "" : source.name + "/";
    for (const ManifestEntry* entry : selection.below(*source.entry)) {
      add(*entry, prefix + entry->path.substr(prefix_of(*source.entry)));
    }
  }
  return files;
}

Result<base::Digest> selection_digest(const graph::CopyOp& op, const ContextTree& context) {
  INGOT_CHECK(ContextSelection(op, context).sources());
  base::Hasher hasher;
  const auto field = [&](std::string_view value) {
    hasher.update(std::to_string(value.size()) + ":");
    hasher.update(value);
  };
  for (const auto& [name, what] : selected_files(op, context)) {
    field(name);
    field(what);
  }
  return hasher.finish();
}

Status copy_from_context(const graph::CopyOp& op, const ContextTree& context, const BlobStore& blobs,
                         const sys::RootedDir& root, LayerLinks* links) {
  return ContextCopier(op, context, blobs, root, links).run();
}

}  // namespace ingot::store
