# Debian packages, one for each component; packaging/build-deb makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trinity)
set(CPACK_PACKAGE_VENDOR "The Trinity authors")
set(CPACK_PACKAGE_CONTACT "The Trinity authors <trinity@trinity.invalid>")
set(CPACK_COMPONENTS_ALL notary)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_NOTARY_PACKAGE_NAME trinity-notary)
set(CPACK_DEBIAN_NOTARY_PACKAGE_DEPENDS
	"systemd | systemd-standalone-sysusers, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_NOTARY_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_COMPONENT_NOTARY_DESCRIPTION "perspectives key notary for Matrix
Answers other Matrix servers' questions for the signing keys of any server,
from a verified history that never forgets a key. A server that has the
notary among its trusted key servers can check old events of servers that
are gone.")
set(debian ${CMAKE_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_NOTARY_PACKAGE_CONTROL_EXTRA
	${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles)
include(CPack)
