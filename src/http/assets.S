/* SPDX-License-Identifier: Apache-2.0
 * Embeds the built UI: each file as it is and gzipped, and a table of struct embedded (assets.c), one row a file.
 * files.inc, which scripts/ui.sh writes, names the files. Beside them the map of boards (vocab/icb-map.tsv). */
.macro asset name
    .section .rodata
.Lname\@:
    .asciz "\name"
.Lbytes\@:
    .incbin "\name"
.Lbytes_end\@:
    .byte 0
.Lgzipped\@:
    .incbin "\name\().gz"
.Lgzipped_end\@:
    .byte 0
    .section .data.rel.ro, "aw", %progbits
    .dc.a .Lname\@, .Lbytes\@, .Lbytes_end\@, .Lgzipped\@, .Lgzipped_end\@
.endm

    .section .data.rel.ro, "aw", %progbits
    .balign 16
    .global accord_assets
    .hidden accord_assets
accord_assets:
    .include "files.inc"
    .section .data.rel.ro, "aw", %progbits
    .global accord_assets_end
    .hidden accord_assets_end
accord_assets_end:
    .dc.a 0

    .section .rodata
    .global accord_icb_map
    .hidden accord_icb_map
accord_icb_map:
    .incbin "icb-map.tsv"
    .global accord_icb_map_end
    .hidden accord_icb_map_end
accord_icb_map_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
