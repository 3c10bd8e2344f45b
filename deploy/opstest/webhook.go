package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// webhookPort is where this host takes alerts; containers reach it at a network's gateway.
const webhookPort = 9095

// webhook is who is told of alerts.
type webhook struct {
	mu    sync.Mutex
	token string
	told  []alert
}

// alert as Alertmanager tells it.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func listen(token string) (*webhook, error) {
	w := &webhook{token: token}
	l, err := net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", webhookPort))
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: w, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	return w, nil
}

// ServeHTTP takes a message of Alertmanager.
func (w *webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+w.token {
		http.Error(rw, "who is that?", http.StatusUnauthorized)
		return
	}
	var message struct {
		Alerts []alert `json:"alerts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, message.Alerts...)
}

// find is an alert that has been told.
func (w *webhook) find(name, status string) (alert, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, a := range w.told {
		if a.Labels["alertname"] == name && a.Status == status {
			return a, nil
		}
		names = append(names, a.Labels["alertname"]+" "+a.Status)
	}
	return alert{}, fmt.Errorf("nobody has told of %s %s; told were %v", name, status, names)
}
