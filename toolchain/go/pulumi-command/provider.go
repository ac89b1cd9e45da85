package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const notice = "podnet's stand-in for the command provider 1.2.1 is in use (the official plugin is not installed)"

// provider answers the engine. Calls come in parallel, and none of them waits for another.
type provider struct {
	plugin.UnimplementedProvider
	logs    loggers
	stopped context.Context
	// cancel ends all that runs, and lets nothing more begin.
	cancel context.CancelFunc
}

func newProvider(logs loggers) *provider {
	stopped, cancel := context.WithCancel(context.Background())
	return &provider{logs: logs, stopped: stopped, cancel: cancel}
}

func leftOut(what string) error {
	return fmt.Errorf("%s is not supported by podnet's stand-in for the command provider; "+
		"install the official plugin: pulumi plugin install resource command v%s", what, schema.Version)
}

func (p *provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse(schema.Version)
	return plugin.PluginInfo{Version: &version}, nil
}

func (p *provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: schemaText}, nil
}

// Configure says once a run that this is not the official plugin.
func (p *provider) Configure(ctx context.Context, _ plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	p.logs("")(ctx, pulumirpc.LogSeverity_INFO, notice)
	return plugin.ConfigureResponse{}, nil
}

func (p *provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, leftOut("the function " + string(req.Tok))
}

func (p *provider) SignalCancellation(context.Context) error {
	p.cancel()
	return nil
}

func (p *provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	spec, known := schema.Resources[string(req.Type)]
	if !known {
		return plugin.CheckResponse{}, leftOut("the resource " + string(req.Type))
	}
	var check check
	inputs := check.fields(spec.Inputs, spec.Required, req.News, "")
	slices.SortFunc(check.failures, func(a, b plugin.CheckFailure) int { return cmp.Compare(a.Property, b.Property) })
	return plugin.CheckResponse{Properties: inputs, Failures: check.failures}, nil
}

// Diff makes every changed input an update, which runs the command again, and `triggers` a replacement.
func (p *provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	result := plugin.DiffResult{Changes: plugin.DiffNone}
	if changes := req.OldInputs.Diff(req.NewInputs); changes != nil {
		result.Changes, result.ChangedKeys = plugin.DiffSome, changes.ChangedKeys()
		if changes.Changed("triggers") {
			result.ReplaceKeys = []resource.PropertyKey{"triggers"}
		}
	}
	return result, nil
}

// Create gives an id in a preview, too, as the official provider does.
func (p *provider) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	id, err := resource.NewUniqueHexID(req.Name, 8, 0)
	outputs := unknown
	if err == nil && !req.Preview {
		outputs, err = p.execute(ctx, run{req.URN, "create", req.Timeout, req.Properties, nil})
	}
	return plugin.CreateResponse{ID: id, Properties: with(req.Properties, outputs), Status: resource.StatusOK}, err
}

// Read gives the state as it was: a command cannot be read back.
func (p *provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{
		ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State},
		Status:     resource.StatusOK,
	}, nil
}

// Update runs `update`, or `create` if there is none. In a preview in which nothing changes the outputs are known.
func (p *provider) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	outputs, err := outputsOf(req.OldOutputs), error(nil)
	which := resource.PropertyKey("update")
	if _, given := text(req.NewInputs, which); !given {
		which = "create"
	}
	if !req.Preview {
		outputs, err = p.execute(ctx, run{req.URN, which, req.Timeout, req.NewInputs, req.OldOutputs})
	} else if req.OldInputs.Diff(req.NewInputs) != nil {
		outputs = unknown
	}
	return plugin.UpdateResponse{Properties: with(req.NewInputs, outputs), Status: resource.StatusOK}, err
}

func (p *provider) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	_, err := p.execute(ctx, run{req.URN, "delete", req.Timeout, req.Inputs, req.Outputs})
	return plugin.DeleteResponse{Status: resource.StatusOK}, err
}

// outputs are stdout and stderr of a command's last run.
type outputs = resource.PropertyMap

var unknown = outputs{
	"stdout": resource.MakeComputed(resource.NewProperty("")),
	"stderr": resource.MakeComputed(resource.NewProperty("")),
}

func outputsOf(state resource.PropertyMap) outputs {
	stdout, _ := text(state, "stdout")
	stderr, _ := text(state, "stderr")
	return outputs{"stdout": resource.NewProperty(stdout), "stderr": resource.NewProperty(stderr)}
}

func with(inputs resource.PropertyMap, outputs outputs) resource.PropertyMap {
	state := inputs.Copy()
	maps.Copy(state, outputs)
	return state
}

// run is one run of one of a resource's commands.
type run struct {
	urn     resource.URN
	which   resource.PropertyKey
	timeout float64 // seconds; 0 for none
	inputs  resource.PropertyMap
	state   resource.PropertyMap // from the last run
}

// execute runs the command, if the resource has it, and gives the outputs that the resource then has.
func (p *provider) execute(ctx context.Context, run run) (outputs, error) {
	command, given := text(run.inputs, run.which)
	if !given {
		return outputsOf(run.state), nil
	}
	if p.stopped.Err() != nil {
		return nil, errors.New("cancelled before the command was started")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.stopped, func() { cancel(errors.New("cancelled while the command was running")) })()
	if run.timeout > 0 {
		late := fmt.Errorf("the command did not end within the timeout of %g s", run.timeout)
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, time.Duration(run.timeout*float64(time.Second)), late)
		defer stop()
	}
	redact := newRedactor(run.inputs, run.state)
	output, err := p.runCommand(ctx, command, run, redact)
	switch {
	case err == nil:
		return output.outputs(), nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		return nil, errors.New(redact.clean(err.Error()))
	}
}

// runCommand runs the command where its inputs say.
func (p *provider) runCommand(ctx context.Context, command string, run run, redact redactor) (*capture, error) {
	arguments, err := argumentsOf(run.inputs)
	if err != nil {
		return nil, err
	}
	previous := map[string]string{}
	if arguments.AddPreviousOutputInEnv {
		for _, name := range []resource.PropertyKey{"stdout", "stderr"} {
			if value, _ := text(run.state, name); value != "" {
				previous["PULUMI_COMMAND_"+strings.ToUpper(string(name))] = value
			}
		}
	}
	log := p.logs(run.urn)
	output := newCapture(arguments.Logging, func(line string) {
		log(ctx, pulumirpc.LogSeverity_INFO, redact.clean(line))
	})
	var status string
	if arguments.Connection == nil {
		status = runLocal(ctx, command, arguments, previous, output)
	} else {
		status, err = runRemote(ctx, command, arguments, previous, output, log)
	}
	output.finish()
	if err == nil && status != "" {
		// Cleaned before it is quoted and cut: neither must break a secret apart.
		err = failed(status, redact.clean(command), redact.clean(output.both()))
	}
	return output, err
}
