package metrics

// The families of figures.
const (
	Build    = "keypeg_build_info"
	Ready    = "keypeg_ready"
	Requests = "keypeg_http_requests_total"
	Duration = "keypeg_http_request_duration_seconds"
	Faults   = "keypeg_http_faults_total"

	CeremoniesBegun = "keypeg_ceremonies_begun_total"
	Ceremonies      = "keypeg_ceremonies_total"
	SignIns         = "keypeg_sign_ins_total"
	Tokens          = "keypeg_program_tokens_total"
	Sessions        = "keypeg_sessions"
	Streams         = "keypeg_streams"

	StoreDuration = "keypeg_store_duration_seconds"
	StoreFailures = "keypeg_store_failures_total"
	DatabaseBytes = "keypeg_database_bytes"
	DiskFree      = "keypeg_disk_free_bytes"
	DiskSize      = "keypeg_disk_size_bytes"

	MailsWaiting = "keypeg_mails_waiting"
	MailsGivenUp = "keypeg_mails_given_up"
	MailOldest   = "keypeg_mail_oldest_wait_seconds"

	HooksWaiting = "keypeg_hooks_waiting"
	HookOldest   = "keypeg_hook_oldest_wait_seconds"

	AuditLogAway = "keypeg_audit_log_away"

	BackupMade  = "keypeg_backup_timestamp_seconds"
	BackupEvery = "keypeg_backup_interval_seconds"

	CertificateEnd = "keypeg_certificate_end_timestamp_seconds"
)

// Family is figures of one kind, which differ in their labels.
type Family struct {
	Name, Type, Labels, Help string
}

// Families lists all families, in the order in which people read them. The manual's table is made from it.
var Families = []Family{
	{Build, "gauge", "version, go", "Is 1, with the version of the program."},
	{Ready, "gauge", "", "1 while /readyz says that the database can be read and written."},
	{Ceremonies, "counter", "kind, outcome, reason", "Ceremonies with a passkey that came back from the browser: of the kind sign-in, confirm, register, enrol (by a link) or try. The outcome is succeeded, refused or failed (a fault of ours); the reason of a refusal is the code of the API."},
	{CeremoniesBegun, "counter", "kind", "Ceremonies that began. What didn't come back was given up, or went wrong in the browser; pages also begin one for autofill."},
	{SignIns, "counter", "method", "Sign-ins, by any method."},
	{Tokens, "counter", "client, grant, error", "Requests of programs for tokens, by the client (document: one that nobody has registered), the kind of grant, and the error of a refusal: a client whose secret is wrong shows as invalid_client."},
	{Sessions, "gauge", "", "Sessions that haven't ended. They are counted once a minute, and less often if there are very many."},
	{Streams, "gauge", "", "Open pages that are notified of changes."},
	{Requests, "counter", "pattern, status, code", "Requests that were answered, but for health checks, by the pattern of the route (other: a file, or no route), the status and the code of the refusal."},
	{Duration, "histogram", "pattern", "How long they took, without streams, by the pattern of the route."},
	{Faults, "counter", "", "Requests that were answered with a fault of ours (5xx): the log has the cause."},
	{StoreDuration, "histogram", "operation", "How long calls of the database took, by operation; apply is a write."},
	{StoreFailures, "counter", "operation", "Calls of the database that failed, because it is broken or away."},
	{DatabaseBytes, "gauge", "", "Size of the database. A file has it with those of all tenants; it never shrinks."},
	{DiskFree, "gauge", "", "Free bytes of the disk with the database file."},
	{DiskSize, "gauge", "", "Size of that disk."},
	{MailsWaiting, "gauge", "", "Mails to users that wait to be sent; 1000 stands for any larger number."},
	{MailsGivenUp, "gauge", "", "Mails to users that were given up in the last seven days."},
	{MailOldest, "gauge", "", "How long the oldest mail has waited."},
	{HooksWaiting, "gauge", "", "Hooks that wait for the program that Keypeg is built into; 1000 stands for any larger number."},
	{HookOldest, "gauge", "", "How long the oldest hook has waited."},
	{AuditLogAway, "gauge", "", "1 while what --audit-log names can't be written."},
	{BackupMade, "gauge", "", "When the newest backup of --backup-dir was made, which was checked, as seconds since 1970; 0 for none."},
	{BackupEvery, "gauge", "", "Time between two of them, as --backup-every says."},
	{CertificateEnd, "gauge", "host", "When the certificate ends with which the server itself serves https, as seconds since 1970."},
	{"process_cpu_seconds_total", "counter", "", "Processor time of the program."},
	{"process_resident_memory_bytes", "gauge", "", "Memory of the program."},
	{"process_start_time_seconds", "gauge", "", "When the program was started, as seconds since 1970."},
	{"process_open_fds", "gauge", "", "Open files and connections."},
	{"process_max_fds", "gauge", "", "How many of them the system allows."},
	{"go_goroutines", "gauge", "", "Goroutines: a request takes a few."},
	{"go_memstats_heap_inuse_bytes", "gauge", "", "Memory in use for objects."},
}
