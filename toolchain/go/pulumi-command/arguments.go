package main

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// arguments are the checked inputs of a command.
type arguments struct {
	AddPreviousOutputInEnv bool              `json:"addPreviousOutputInEnv"`
	Connection             *endpoint         `json:"connection"`
	Dir                    string            `json:"dir"`
	Environment            map[string]string `json:"environment"`
	Interpreter            []string          `json:"interpreter"`
	Logging                string            `json:"logging"`
	Stdin                  string            `json:"stdin"`
}

// endpoint says where and how to log in by SSH. A key that is given and empty is a mistake, not a missing key.
type endpoint struct {
	AgentSocketPath    string    `json:"agentSocketPath"`
	DialErrorLimit     int       `json:"dialErrorLimit"`
	Host               string    `json:"host"`
	HostKey            *string   `json:"hostKey"`
	Password           *string   `json:"password"`
	PerDialTimeout     int       `json:"perDialTimeout"`
	Port               float64   `json:"port"`
	PrivateKey         *string   `json:"privateKey"`
	PrivateKeyPassword string    `json:"privateKeyPassword"`
	Proxy              *endpoint `json:"proxy"`
	User               string    `json:"user"`
}

func argumentsOf(inputs resource.PropertyMap) (arguments, error) {
	result := arguments{AddPreviousOutputInEnv: true, Interpreter: []string{"/bin/sh", "-c"}, Logging: "stdoutAndStderr"}
	text, err := json.Marshal(inputs.MapRepl(nil, withoutSecret))
	if err == nil {
		err = json.Unmarshal(text, &result)
	}
	return result, err
}

func withoutSecret(value resource.PropertyValue) (any, bool) {
	if value.IsSecret() {
		return bare(value).MapRepl(nil, withoutSecret), true
	}
	return nil, false
}

// text gives a property that is a string, secret or not.
func text(properties resource.PropertyMap, name resource.PropertyKey) (string, bool) {
	value := bare(properties[name])
	if !value.IsString() {
		return "", false
	}
	return value.StringValue(), true
}

// bare gives a value without the mark that it is a secret.
func bare(value resource.PropertyValue) resource.PropertyValue {
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	return value
}
