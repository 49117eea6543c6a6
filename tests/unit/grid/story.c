/* SPDX-License-Identifier: Apache-2.0
 * The register's story (three trusts, a company, an agreement in force), for tests of what a node checks. */
#include "../govern/story.c"
