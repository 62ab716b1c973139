#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# without_driver.sh STUBS PROGRAM [ARG...]: runs a program that is linked with the
# device's driver. Where that library is missing, the toolkit's stub of it in STUBS
# stands in, with which the program starts, finds no device, and says so.
stubs=$1
shift
case $(ldd "$1" 2>/dev/null) in
  *'libcuda.so.1 => not found'*)
    LD_LIBRARY_PATH=$stubs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    ;;
esac
exec "$@"
