/* SPDX-License-Identifier: Apache-2.0
 * Embeds the built UI: each file as it is and gzipped, between begin and end labels. */
.macro embed label, file
    .global accord_\label
    .hidden accord_\label
    .global accord_\label\()_end
    .hidden accord_\label\()_end
    .balign 16
accord_\label:
    .incbin "\file"
accord_\label\()_end:
    .byte 0
.endm

    .section .rodata
    embed app_js, "app.js"
    embed app_js_gz, "app.js.gz"
    embed app_css, "app.css"
    embed app_css_gz, "app.css.gz"
    .section .note.GNU-stack, "", %progbits
