package wire

// Reconnect reports whether a client whose connection was closed with this code
// comes back by itself, after a back-off. It is the contract of the numbered
// reasons (api/hub, Disconnect):
//
//	1001, 1005, 1006, 1012, 1013   going away, no code, cut off, restart, try later: yes
//	other codes below 4000         no
//	4000–4499                      the moment was wrong: yes
//	4500 and above                 the client is: no
func Reconnect(code int) bool {
	switch {
	case code >= 4000:
		return code < 4500
	case code == 1001, code == 1005, code == 1006, code == 1012, code == 1013:
		return true
	}
	return false
}
