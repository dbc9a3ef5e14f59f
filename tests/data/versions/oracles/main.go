// Reads [range, version] a line; answers true, false, "range" or "version".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/Masterminds/semver/v3"
)

func judge(pair [2]string) string {
	constraint, err := semver.NewConstraint(pair[0])
	if err != nil {
		return `"range"`
	}
	version, err := semver.NewVersion(pair[1])
	if err != nil {
		return `"version"`
	}
	return fmt.Sprint(constraint.Check(version))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var pair [2]string
		if err := json.Unmarshal(lines.Bytes(), &pair); err != nil {
			panic(err)
		}
		fmt.Println(judge(pair))
	}
}
