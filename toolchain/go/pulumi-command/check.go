package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// The schema in Pulumi's own form (https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/).
// What it leaves out is that each resource gives back its inputs.
//
//go:embed schema.json
var schemaText []byte

var schema struct {
	Version   string              `json:"version"`
	Types     map[string]property `json:"types"`
	Resources map[string]struct {
		Inputs   map[resource.PropertyKey]property `json:"inputProperties"`
		Required []resource.PropertyKey            `json:"requiredInputs"`
	} `json:"resources"`
}

// property is what the schema says of one value.
type property struct {
	Type       string                            `json:"type"`
	Ref        string                            `json:"$ref"`
	Secret     bool                              `json:"secret"`
	Default    any                               `json:"default"`
	Enum       []struct{ Value string }          `json:"enum"`
	Items      *property                         `json:"items"`
	Values     *property                         `json:"additionalProperties"`
	Properties map[resource.PropertyKey]property `json:"properties"`
	Required   []resource.PropertyKey            `json:"required"`
}

var kinds = map[string]struct {
	words string
	fits  func(resource.PropertyValue) bool
}{
	"string":  {"a string", resource.PropertyValue.IsString},
	"boolean": {"true or false", resource.PropertyValue.IsBool},
	"number":  {"a number", resource.PropertyValue.IsNumber},
	"integer": {"a whole number", func(v resource.PropertyValue) bool {
		return v.IsNumber() && v.NumberValue() == math.Trunc(v.NumberValue())
	}},
	"array":  {"a list", resource.PropertyValue.IsArray},
	"object": {"a map", resource.PropertyValue.IsObject},
}

func init() {
	if err := json.Unmarshal(schemaText, &schema); err != nil {
		panic(err)
	}
}

// check goes through the inputs of a resource, fills in defaults, marks secrets, and notes all that is wrong.
type check struct{ failures []plugin.CheckFailure }

func (c *check) fail(path, reason string) {
	c.failures = append(c.failures, plugin.CheckFailure{Property: resource.PropertyKey(path), Reason: reason})
}

// fields checks an object. A null is a field that is not there. prefix: what the path of each field begins with.
func (c *check) fields(
	known map[resource.PropertyKey]property, required []resource.PropertyKey, given resource.PropertyMap, prefix string,
) resource.PropertyMap {
	checked := resource.PropertyMap{}
	for name, field := range known {
		path := prefix + string(name)
		switch value := given[name]; {
		case !value.IsNull():
			checked[name] = c.value(field, value, path)
		case field.Default != nil:
			checked[name] = resource.NewPropertyValue(field.Default)
		case slices.Contains(required, name):
			c.fail(path, "this input is required")
		}
	}
	for name, value := range given {
		path := prefix + string(name)
		if _, exists := known[name]; exists || value.IsNull() {
			continue
		}
		if path == "assetPaths" || path == "archivePaths" {
			c.fail(path, leftOut("the input "+path).Error())
		} else {
			c.fail(path, "there is no such input")
		}
	}
	return checked
}

func (c *check) value(p property, value resource.PropertyValue, path string) resource.PropertyValue {
	isSecret := p.Secret || value.IsSecret()
	value = bare(value)
	if target, found := schema.Types[strings.TrimPrefix(p.Ref, "#/types/")]; found {
		p = target
	}
	switch kind, limited := kinds[p.Type]; {
	case value.IsComputed() || !limited: // not known yet, or anything at all
	case !kind.fits(value):
		c.fail(path, "expected "+kind.words)
	case p.Items != nil:
		checked := make([]resource.PropertyValue, len(value.ArrayValue()))
		for i, item := range value.ArrayValue() {
			checked[i] = c.value(*p.Items, item, fmt.Sprintf("%s[%d]", path, i))
		}
		value = resource.NewProperty(checked)
	case p.Values != nil:
		checked := resource.PropertyMap{}
		for name, item := range value.ObjectValue() {
			checked[name] = c.value(*p.Values, item, path+"."+string(name))
		}
		value = resource.NewProperty(checked)
	case p.Properties != nil:
		value = resource.NewProperty(c.fields(p.Properties, p.Required, value.ObjectValue(), path+"."))
	case p.Enum != nil:
		var values []string
		for _, each := range p.Enum {
			values = append(values, each.Value)
		}
		if !slices.Contains(values, value.StringValue()) {
			c.fail(path, "expected one of "+strings.Join(values, ", "))
		}
	}
	if isSecret {
		value = resource.MakeSecret(value)
	}
	return value
}
