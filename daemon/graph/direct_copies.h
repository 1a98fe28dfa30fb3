#pragma once

#include "daemon/graph/graph.h"

namespace ingot::graph {

// A COPY of another target's whole file system (SAVE ARTIFACT /. name there) takes it from where it is made. By way of
// the target's artifacts each of its tens of thousands of files would be handled twice; when nothing else wants those,
// they are not made at all.
void copy_directly(Graph& graph);

}  // namespace ingot::graph
