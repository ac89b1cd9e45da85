package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// The schema in Pulumi's own form (https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/),
// but for the outputs: each resource gives back its inputs, and stdout and stderr.
//
//go:embed schema.json
var schemaText []byte

var schema = mustParse[struct {
	Version   string              `json:"version"`
	Types     map[string]property `json:"types"`
	Resources map[string]spec     `json:"resources"`
}](schemaText)

type spec struct {
	Inputs   map[string]property `json:"inputProperties"`
	Required []string            `json:"requiredInputs"`
}

// property is what the schema says of one value.
type property struct {
	Type       string                   `json:"type"`
	Ref        string                   `json:"$ref"`
	Secret     bool                     `json:"secret"`
	Default    any                      `json:"default"`
	Enum       []struct{ Value string } `json:"enum"`
	Items      *property                `json:"items"`
	Values     *property                `json:"additionalProperties"`
	Properties map[string]property      `json:"properties"`
	Required   []string                 `json:"required"`
}

var words = map[string]string{
	"string": "a string", "boolean": "true or false", "number": "a number", "integer": "a whole number",
	"array": "a list", "object": "a map",
}

func mustParse[T any](text []byte) (value T) {
	if err := json.Unmarshal(text, &value); err != nil {
		panic(err)
	}
	return value
}

func wholeSchema() []byte {
	whole := mustParse[map[string]any](schemaText)
	for _, each := range whole["resources"].(map[string]any) {
		resource := each.(map[string]any)
		properties := maps.Clone(resource["inputProperties"].(map[string]any))
		properties["stdout"] = map[string]any{"type": "string"}
		properties["stderr"] = map[string]any{"type": "string"}
		required, _ := resource["requiredInputs"].([]any)
		resource["properties"], resource["required"] = properties, append(slices.Clone(required), "stdout", "stderr")
	}
	text, err := json.Marshal(whole)
	if err != nil {
		panic(err)
	}
	return text
}

func (s spec) inputs() property {
	return property{Type: "object", Properties: s.Inputs, Required: s.Required}
}

// checkFields gives the fields of an object with defaults filled in and secrets marked, and all that is wrong with
// them. A null is a field that is not there.
func (p property) checkFields(fields resource.PropertyMap, path string) (resource.PropertyMap, []plugin.CheckFailure) {
	var failures []plugin.CheckFailure
	fail := func(name, reason string) {
		failures = append(failures, plugin.CheckFailure{Property: resource.PropertyKey(path + name), Reason: reason})
	}
	checked := resource.PropertyMap{}
	for _, name := range fields.StableKeys() {
		value := fields[name]
		known, exists := p.Properties[string(name)]
		switch {
		case value.IsNull():
		case exists:
			var more []plugin.CheckFailure
			checked[name], more = known.check(value, path+string(name))
			failures = append(failures, more...)
		case name == "assetPaths" || name == "archivePaths":
			fail(string(name), leftOut("the input "+string(name)).Error())
		default:
			fail(string(name), "there is no such input")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		if _, given := checked[resource.PropertyKey(name)]; given {
			continue
		}
		if fallback := p.Properties[name].Default; fallback != nil {
			checked[resource.PropertyKey(name)] = resource.NewPropertyValue(fallback)
		} else if slices.Contains(p.Required, name) {
			fail(name, "this input is required")
		}
	}
	return checked, failures
}

func (p property) check(value resource.PropertyValue, path string) (resource.PropertyValue, []plugin.CheckFailure) {
	var failures []plugin.CheckFailure
	if value.IsSecret() {
		p.Secret = true
		value = value.SecretValue().Element
	}
	if target, found := schema.Types[strings.TrimPrefix(p.Ref, "#/types/")]; found {
		target.Secret = p.Secret
		p = target
	}
	switch {
	case value.IsComputed() || p.Type == "": // not known yet, or anything at all
	case !p.fits(value):
		failures = []plugin.CheckFailure{{Property: resource.PropertyKey(path), Reason: "expected " + p.words()}}
	case p.Type == "array":
		checked := make([]resource.PropertyValue, len(value.ArrayValue()))
		for i, item := range value.ArrayValue() {
			var more []plugin.CheckFailure
			checked[i], more = p.Items.check(item, fmt.Sprintf("%s[%d]", path, i))
			failures = append(failures, more...)
		}
		value = resource.NewProperty(checked)
	case p.Values != nil:
		checked := resource.PropertyMap{}
		for _, name := range value.ObjectValue().StableKeys() {
			var more []plugin.CheckFailure
			checked[name], more = p.Values.check(value.ObjectValue()[name], path+"."+string(name))
			failures = append(failures, more...)
		}
		value = resource.NewProperty(checked)
	case p.Type == "object":
		var checked resource.PropertyMap
		checked, failures = p.checkFields(value.ObjectValue(), path+".")
		value = resource.NewProperty(checked)
	}
	if p.Secret {
		value = resource.MakeSecret(value)
	}
	return value, failures
}

func (p property) fits(value resource.PropertyValue) bool {
	switch p.Type {
	case "string":
		return value.IsString() && (p.Enum == nil || slices.Contains(p.enum(), value.StringValue()))
	case "boolean":
		return value.IsBool()
	case "integer":
		return value.IsNumber() && value.NumberValue() == math.Trunc(value.NumberValue())
	case "number":
		return value.IsNumber()
	case "array":
		return value.IsArray()
	default:
		return value.IsObject()
	}
}

func (p property) words() string {
	if p.Enum != nil {
		return "one of " + strings.Join(p.enum(), ", ")
	}
	return words[p.Type]
}

func (p property) enum() []string {
	var values []string
	for _, each := range p.Enum {
		values = append(values, each.Value)
	}
	return values
}
