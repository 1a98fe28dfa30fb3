#include "daemon/store/write_file.h"

#include "daemon/store/accounts.h"
#include "daemon/store/copy_target.h"
#include "daemon/sys/files.h"

namespace ingot::store {

Status write_file(const graph::WriteFileOp& op, const sys::RootedDir& root) {
  Account owner;
  if (!op.chown.empty()) {
    INGOT_TRY(owner, find_account(root, op.chown));
  }
  CopyTarget target(root);
  const bool into = op.destination_is_directory || target.is_directory(op.destination);
  const std::string path = into ? below(op.destination, op.name) : op.destination;
  INGOT_CHECK(target.make_parents(parent_path(path), owner.uid, owner.gid));
  CopyAttributes attributes;
  attributes.uid = owner.uid;
  attributes.gid = owner.gid;
  attributes.mode = op.mode;
  INGOT_CHECK(target.put_file(path, attributes, [&](int to) { return sys::write_all(to, op.content); }));
  return target.set_directory_times();
}

}  // namespace ingot::store
