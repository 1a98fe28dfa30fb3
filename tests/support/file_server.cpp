#include "tests/support/file_server.h"

#include "proto/base64.h"
#include "tests/support/temp.h"

namespace ingot::test {

FileServer::FileServer(std::filesystem::path directory, const std::string& user, const std::string& password)
    : server_([directory = std::move(directory), authorization = "Authorization: Basic " +
                                                                 proto::base64_encode(user + ":" + password) +
                                                                 "\r\n"](const HttpAsked& asked) -> HttpReply {
        if (asked.head.find(authorization) == std::string::npos) {
          return {"401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"git\"\r\n"};
        }
        const auto file = directory / asked.path.substr(1);
        if (!std::filesystem::is_regular_file(file)) return {"404 Not Found", "", ""};
        return {"200 OK", slurp(file), ""};
      }) {}

}  // namespace ingot::test
