package control

// UserPaths are the paths of the commands about users.
func UserPaths() (paths []string) {
	for _, row := range userCommands.rows {
		paths = append(paths, row.path)
	}
	return paths
}
