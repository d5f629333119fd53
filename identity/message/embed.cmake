# cmake -DROOT=packaging/templates -DOUT=templates.inc -P embed.cmake: every file as a text in one
# table, { "de/verify.html", "…" }.

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/*)
list(FILTER files EXCLUDE REGEX "README\\.md$")
list(SORT files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
	file(READ ${ROOT}/${file} bytes HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
	string(APPEND arrays "static const char text_${count}[] = { ${bytes}'\\0' };\n")
	string(APPEND rows "\t{ \"${file}\", text_${count} },\n")
	math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT}
	"${arrays}\nstatic const char *const built_in[][2] = {\n${rows}\t{ NULL, NULL },\n};\n")
