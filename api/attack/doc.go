// Package attack holds no code: its tests are a whole server with users, keys, orders and a
// WebSocket, on a real socket, and those who attack it from outside. What one package decides
// by itself is attacked in that package; here is what needs all of them at once: that a
// refused token opens no route, that a slow client costs its neighbours nothing, that no
// spelling of a path is another permission.
//
// What needs the program itself, its stores and its log, is in cmd/qcat.
//
// # Imports
//
// Nothing; its tests import what a server is put together from.
package attack
