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
		r.collect(resource.NewProperty(each), false)
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
		_, isConnection := value.ObjectValue()["host"]
		for name, item := range value.ObjectValue() {
			// All of a connection is secret, but its host and user are needed to understand an error.
			named := name == "password" || name == "privateKey" || name == "privateKeyPassword" || name == "proxy"
			r.collect(item, secret && (named || !isConnection))
		}
	case value.IsString() && secret:
		r.add(value.StringValue())
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
