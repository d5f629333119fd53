# cmake -DROOT=schemas -DOUT=schemas.inc -P embed.cmake: every schemas/**/*.json as bytes in one
# C table, "notary/query" for schemas/notary/query.json.

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/*.json)
list(SORT files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
	file(READ ${ROOT}/${file} bytes HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(REGEX REPLACE "\\.json$" "" name ${file})
	string(APPEND arrays "static const unsigned char text_${count}[] = { ${bytes} };\n")
	string(APPEND rows "\t{ \"${name}\", text_${count}, sizeof(text_${count}) },\n")
	math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "${arrays}\nstatic const struct mx_schema_text texts[] = {\n${rows}};\n")
