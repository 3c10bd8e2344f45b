package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// configFlag is --config: it loads the file before the other flags are resolved.
type configFlag string

// BeforeResolve reads the file and makes its keys the source of flags that are
// given neither on the command line nor in the environment.
func (f configFlag) BeforeResolve(e *env, k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFlag))
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	cfg, err := parseFile(raw, flagNames(k.Model.Node))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	ctx.AddResolver(cfg)
	e.file = cfg
	return nil
}

// fileConfig is the YAML file: keys named as flags, and the sections that no
// flag can carry.
type fileConfig struct {
	flags    map[string]string
	sections sections
	digest   string // of the file, "" without one
}

// parseFile reads the file strictly: a key that is neither a flag nor a section
// is an error, because a misspelt limit must not be a missing limit.
func parseFile(raw []byte, flags map[string]bool) (*fileConfig, error) {
	var file struct {
		Sections sections             `yaml:",inline"`
		Flags    map[string]yaml.Node `yaml:",inline"`
	}
	root, err := readYAML(raw, &file)
	if err != nil {
		return nil, err
	}
	cfg := &fileConfig{flags: map[string]string{}, sections: file.Sections, digest: fmt.Sprintf("%x", sha256.Sum256(raw))}
	for _, key := range slices.Sorted(maps.Keys(file.Flags)) {
		value := file.Flags[key]
		list, isFlag := flags[key]
		if !isFlag {
			return nil, fmt.Errorf("line %d: unknown key %q", lineOf(root, key, &value), key)
		}
		text, err := flagText(key, &value, list)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lineOf(root, key, &value), err)
		}
		if text != "" {
			cfg.flags[key] = text
		}
	}
	return cfg, nil
}

// Validate implements kong.Resolver; parseFile has done it.
func (c *fileConfig) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver: the environment wins over the file.
func (c *fileConfig) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	value, ok := c.flags[flag.Name]
	if !ok {
		return nil, nil
	}
	return value, nil
}

// flagText is a value of the file as it would stand on the command line, ""
// where nothing is set; list says that the flag takes several.
func flagText(key string, value *yaml.Node, list bool) (string, error) {
	value = target(value)
	values := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		if !list {
			return "", fmt.Errorf("%q takes one value", key)
		}
		values = value.Content
	}
	parts := make([]string, len(values))
	for i, v := range values {
		switch v = target(v); {
		case v.Kind == yaml.ScalarNode && !isNull(v):
			parts[i] = v.Value
		case v.Kind == yaml.ScalarNode && v == value:
			return "", nil
		case list:
			return "", fmt.Errorf("%q takes one value or a list of them", key)
		default:
			return "", fmt.Errorf("%q takes one value", key)
		}
	}
	return strings.Join(parts, listSeparator), nil
}

// listSeparator parts the values of a list flag in one string: feed specs and
// origins hold commas.
const listSeparator = ";"

// flagNames are the flags of a command and those below it; true are those that
// take several values.
func flagNames(n *kong.Node) map[string]bool {
	names := map[string]bool{}
	for _, f := range n.Flags {
		names[f.Name] = f.IsSlice()
	}
	for _, child := range n.Children {
		maps.Copy(names, flagNames(child))
	}
	return names
}
