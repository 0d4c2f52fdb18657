package server

import (
	"os"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }
