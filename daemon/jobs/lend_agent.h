#pragma once

#include "daemon/jobs/client_channel.h"

namespace ingot::jobs {

// Lets who is at the other end of the connection speak to the SSH agent of the client's user, until either of them
// closes. One message is on its way at a time, so that nothing has to be kept; keys never travel. An error is why the
// agent could not be spoken to.
Status lend_agent(ClientChannel& channel, int connection, const sys::CancelToken& cancel);

}  // namespace ingot::jobs
