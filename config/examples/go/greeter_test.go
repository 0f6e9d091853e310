// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"
)

func TestHealthNamesTheRevision(t *testing.T) {
	url := os.Getenv("GREETER_URL")
	if url == "" {
		url = "http://localhost:8081"
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]string
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer["revision"] == "" {
		t.Error("the service does not say which revision it is")
	}
}
