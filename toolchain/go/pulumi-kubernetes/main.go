// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider, from the module that its authors publish.
//
// Their own main embeds schema-embed.json and terraform-mapping-embed.json, which their release process generates
// and the module does not hold. The module's schema.json is the same document but for the version: the builder
// (lab/toolchain) puts it beside this file with the version set.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// version is set by the linker.
var version string

//go:embed schema.json
var schema []byte

func main() {
	provider.Serve("kubernetes", version, schema, []byte("{}"))
}
