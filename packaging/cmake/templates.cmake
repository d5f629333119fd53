# mx_templates(DAEMON): packaging/templates/common and …/DAEMON become one C table, which
# DAEMON/message/templates.c includes: see embed_templates.cmake.
function(mx_templates daemon)
	set(common ${CMAKE_SOURCE_DIR}/packaging/templates/common)
	set(own ${CMAKE_SOURCE_DIR}/packaging/templates/${daemon})
	set(table ${CMAKE_BINARY_DIR}/generated/${daemon}/message/templates.inc)
	set(embed ${CMAKE_SOURCE_DIR}/packaging/cmake/embed_templates.cmake)
	file(GLOB_RECURSE files CONFIGURE_DEPENDS ${common}/* ${own}/*)
	add_custom_command(OUTPUT ${table}
		COMMAND ${CMAKE_COMMAND} -DROOTS=${common},${own} -DOUT=${table} -P ${embed}
		DEPENDS ${files} ${embed}
		COMMENT "Embedding the templates of ${daemon}")
	add_custom_target(${daemon}_templates DEPENDS ${table})
	add_dependencies(${daemon}_lib ${daemon}_templates)
endfunction()
