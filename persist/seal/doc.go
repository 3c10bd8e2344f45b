// Package seal keeps secrets at rest: envelope encryption in three storeys.
//
//	master key   32 bytes that come from outside and are stored nowhere here
//	  └─ KEK     key-encryption key with a version, a row sealed under the master key
//	       └─ data key   one for each secret, wrapped by a KEK, beside the secret
//
// A KEK is exchanged by wrapping the data keys anew (Rewrap): what they encrypt stays
// as it is. A master key is exchanged by sealing the KEKs anew.
//
// # Format
//
// All is AES-256-GCM with random nonces; numbers are big-endian. The additional data
// of each part names what it is, and its table and row, so that no part opens in another's
// place.
//
//	secret  1 | KEK version, 4 | nonce, 12 | data key, 32 | tag, 16 | nonce, 12 | secret | tag, 16
//	KEK     2 | KEK version, 4 | master's id, 8 | nonce, 12 | KEK, 32 | tag, 16
//
// The data key is bound to table, row and KEK version; the secret to table and row, and
// to the version by its data key, which nothing else uses.
//
// # Secrets in memory
//
// No error, String or Format method tells a key or a secret. Data keys are cleared after
// use; a Master and a KEK live as long as they are held.
//
// # Ownership
//
// A Master and a KEK do not change: any goroutine.
//
// # Imports
//
// core/identity (the type of what is sealed).
package seal
