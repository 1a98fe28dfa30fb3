#include "daemon/shell/shell.h"

#include <gtest/gtest.h>
