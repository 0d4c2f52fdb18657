package oracle

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built is the server of this test process.
var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// ShoalPath returns the path of shoal-server, built at the first call. The TestMain of a package that calls it
// should call Main, which removes what was built.
func ShoalPath(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("SHOAL_SERVER"); path != "" {
		return path
	}
	built.once.Do(build)
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func build() {
	if built.dir, built.err = os.MkdirTemp("", "shoal-test-"); built.err != nil {
		return
	}
	built.path = filepath.Join(built.dir, "shoal-server")
	args := append([]string{"build", "-o", built.path}, strings.Fields(os.Getenv("SHOAL_BUILD"))...)
	out, err := exec.Command("go", append(args, "github.com/shoaldb/shoal/cmd/shoal-server")...).CombinedOutput()
	if err != nil {
		built.err = fmt.Errorf("cannot build shoal-server: %w\n%s", err, out)
	}
}

// Main runs the tests of a package and removes the server that they built. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // left-overs in the temporary directory hurt nobody
	}
	return code
}
