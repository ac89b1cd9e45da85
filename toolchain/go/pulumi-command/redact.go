package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	// Shorter pieces are too likely to be part of ordinary words. A single line of a longer secret (a script, a key)
	// must be longer still, or every `done` and `else` of a script on stdin would be blotted out.
	shortestSecret = 3
	shortestLine   = 8
)

// What a script holds that is worth stealing is one long word with digits in it: a token, a hash, a key.
var longWord = regexp.MustCompile(`[^\s"'=,;]{16,}`)

// redactor replaces every secret in a text, every longer line of one, and every word of one that looks like a token.
type redactor struct{ pieces []string }

func newRedactor(properties ...resource.PropertyMap) redactor {
	var r redactor
	for _, each := range properties {
		for name, value := range each {
			if name == "connection" {
				r.collectConnection(value)
			} else {
				r.collect(value, false)
			}
		}
	}
	// The longest first: a piece that is part of a longer one must not break it apart.
	slices.SortFunc(r.pieces, func(a, b string) int { return len(b) - len(a) })
	return r
}

func (r redactor) clean(text string) string {
	for _, piece := range r.pieces {
		text = strings.ReplaceAll(text, piece, "[secret]")
	}
	return text
}

func (r *redactor) collect(value resource.PropertyValue, secret bool) {
	switch {
	case value.IsSecret():
		r.collect(value.SecretValue().Element, true)
	case value.IsArray():
		for _, item := range value.ArrayValue() {
			r.collect(item, secret)
		}
	case value.IsObject():
		for _, item := range value.ObjectValue() {
			r.collect(item, secret)
		}
	case value.IsString() && secret:
		r.add(value.StringValue())
	}
}

// collectConnection leaves out what is needed to understand an error, such as the host, though all of it is secret.
func (r *redactor) collectConnection(value resource.PropertyValue) {
	if value = bare(value); !value.IsObject() {
		return
	}
	for name, item := range value.ObjectValue() {
		switch name {
		case "password", "privateKey", "privateKeyPassword":
			r.collect(item, true)
		case "proxy":
			r.collectConnection(item)
		}
	}
}

func (r *redactor) add(secret string) {
	for _, whole := range []string{secret, strings.TrimSpace(secret)} {
		if len(whole) >= shortestSecret {
			r.pieces = append(r.pieces, whole)
		}
	}
	for _, word := range longWord.FindAllString(secret, -1) {
		if strings.ContainsAny(word, "0123456789") {
			r.pieces = append(r.pieces, word)
		}
	}
	if lines := strings.FieldsFunc(secret, func(c rune) bool { return c == '\n' || c == '\r' }); len(lines) > 1 {
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= shortestLine {
				r.pieces = append(r.pieces, line)
			}
		}
	}
}
