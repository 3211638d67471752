package gitops

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

const script = "../../config/argocd/resource_customizations/govcloud.dev/_/health.lua"

// An interpreter as Argo CD has it, with the libraries that it opens by default and no other.
func interpreter(t *testing.T) *lua.LState {
	t.Helper()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	t.Cleanup(l.Close)
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// Health as Argo CD asks for it.
func health(l *lua.LState, source string, obj any) (status, message string, err error) {
	defer l.SetTop(0)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", decode(l, obj))
	if err := l.DoString(source); err != nil {
		return "", "", err
	}
	answer, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("the script returned %s", l.Get(-1).Type())
	}
	return lua.LVAsString(answer.RawGetString("status")), lua.LVAsString(answer.RawGetString("message")), nil
}

// Decode makes a Lua value of JSON.
func decode(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		table := l.CreateTable(len(v), 0)
		for _, item := range v {
			table.Append(decode(l, item))
		}
		return table
	case map[string]any:
		table := l.CreateTable(0, len(v))
		for name, item := range v {
			table.RawSetString(name, decode(l, item))
		}
		return table
	}
	return lua.LNil
}

func source(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestArgoCDHealthOfEveryStanding(t *testing.T) {
	l, script := interpreter(t), source(t)
	counts := map[string]int{}
	for _, o := range objects(t) {
		status, message, err := health(l, script, o.Object)
		if err != nil {
			t.Fatalf("%s: %v", o.file, err)
		}
		if status != o.want.ArgoCD {
			t.Errorf("%s: %s, expected %s of %s (%s)", o.file, status, o.want.ArgoCD, o.want.key(), message)
		}
		zh, en, both := strings.Cut(message, " / ")
		if !both || zh == en || strings.ContainsFunc(message, func(r rune) bool { return r == '\n' }) {
			t.Errorf("%s: %q is not one line in both languages", o.file, message)
		}
		counts[status]++
	}
	t.Logf("health: %v", counts)
}

// Whatever is missing, the script answers, and never takes what it does not know for healthy.
func TestArgoCDHealthOfMutilatedObjects(t *testing.T) {
	l, script, runs := interpreter(t), source(t), 0
	known := map[string]bool{"Healthy": true, "Progressing": true, "Suspended": true, "Degraded": true}
	for _, o := range objects(t) {
		check := func(what string, object map[string]any, want string) {
			runs++
			status, message, err := health(l, script, object)
			if err != nil || !known[status] || message == "" || (want != "" && status != want) {
				t.Errorf("%s, %s: %q %q %v, expected %q", o.file, what, status, message, err, want)
			}
		}
		for _, path := range paths(o.Object["status"], []string{"status"}) {
			for _, instead := range []any{nil, "text", int64(1), []any{}, map[string]any{}} {
				check(strings.Join(path, ".")+fmt.Sprintf("=%v", instead), with(o.Object, path, instead), "")
			}
		}
		check("no status", with(o.Object, []string{"status"}, nil), "Progressing")
		check("no conditions", with(o.Object, []string{"status", "conditions"}, []any{}), "Progressing")
		check("a later generation", with(o.Object, []string{"metadata", "generation"}, o.GetGeneration()+1), "Progressing")
		check("no generation seen", with(o.Object, []string{"status", "observedGeneration"}, nil), "Progressing")
		check("no metadata", with(o.Object, []string{"metadata"}, nil), "Progressing")
		check("being deleted", with(o.Object, []string{"metadata", "deletionTimestamp"}, "2026-11-23T00:00:00Z"), "Progressing")
	}
	for _, kind := range []string{"WorkCalendar", "ServiceCatalog"} {
		if status, _, err := health(l, script, map[string]any{"kind": kind}); status != "Healthy" || err != nil {
			t.Errorf("%s: %s %v", kind, status, err)
		}
	}
	t.Logf("%d mutilated objects", runs)
}

// What the script does not read, and is long.
var unread = map[string]bool{
	"timeline": true, "inventory": true, "certificate": true, "decision": true, "deadlines": true, "namespaces": true,
}

// Paths to every field that is there, but for what lies in the long ones.
func paths(value any, at []string) [][]string {
	all := [][]string{at}
	below := func(name string, item any) {
		if !unread[name] {
			all = append(all, paths(item, append(append([]string{}, at...), name))...)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for name, item := range v {
			below(name, item)
		}
	case []any:
		for i, item := range v {
			below(fmt.Sprint(i), item)
		}
	}
	return all
}

// With is a copy of value in which something else, or nothing, stands at a path.
func with(value map[string]any, path []string, instead any) map[string]any {
	return replaced(value, path, instead).(map[string]any)
}

func replaced(value any, path []string, instead any) any {
	if len(path) == 0 {
		return instead
	}
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v)+1)
		for name, item := range v {
			out[name] = item
		}
		next := replaced(v[path[0]], path[1:], instead)
		if next == nil {
			delete(out, path[0])
		} else {
			out[path[0]] = next
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for i, item := range v {
			if fmt.Sprint(i) == path[0] {
				item = replaced(item, path[1:], instead)
			}
			out = append(out, item)
		}
		return out
	}
	return instead
}
