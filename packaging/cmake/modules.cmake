# mx_module(NAME [USES module...] [LINKS library...]): the folder NAME as one static library.
# USES may only name modules declared before it: the link order is the layering.
function(mx_module name)
	cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c
		${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
	foreach(used IN LISTS ARG_USES)
		if(NOT TARGET mx_${used})
			message(FATAL_ERROR "${name} may not use ${used}: it is not below it")
		endif()
	endforeach()
	list(TRANSFORM ARG_USES PREPEND mx_)
	if(sources)
		add_library(mx_${name} STATIC ${sources})
		target_link_libraries(mx_${name} PUBLIC ${ARG_USES} ${ARG_LINKS} Threads::Threads)
	else()
		add_library(mx_${name} INTERFACE)
		target_link_libraries(mx_${name} INTERFACE ${ARG_USES} ${ARG_LINKS} Threads::Threads)
	endif()
endfunction()

# mx_program(NAME FOLDER USES module...): a daemon. Everything but main.c is a library of its
# own, so that the tests can link it.
function(mx_program name folder)
	cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
	list(FILTER sources EXCLUDE REGEX "/${folder}/main\\.c$")
	list(TRANSFORM ARG_USES PREPEND mx_)
	add_library(${folder}_lib STATIC ${sources})
	target_link_libraries(${folder}_lib PUBLIC ${ARG_USES} ${ARG_LINKS})
	add_executable(${name} ${CMAKE_SOURCE_DIR}/${folder}/main.c)
	target_link_libraries(${name} PRIVATE ${folder}_lib)
	target_link_options(${name} PRIVATE -pie)
endfunction()
