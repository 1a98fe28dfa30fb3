#pragma once

#include <filesystem>
#include <string>

#include "tests/support/http_server.h"

namespace ingot::test {

// Serves the files of a directory by HTTP on loopback, to whoever has the name and the password.
class FileServer {
 public:
  FileServer(std::filesystem::path directory, const std::string& user, const std::string& password);
  int port() const { return server_.port(); }

 private:
  HttpServer server_;
};

}  // namespace ingot::test
