// Reads range, tab, version a line; answers true, false, "range" or "version".
import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.maven.artifact.versioning.DefaultArtifactVersion;
import org.apache.maven.artifact.versioning.InvalidVersionSpecificationException;
import org.apache.maven.artifact.versioning.VersionRange;

public class Maven {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(judge(line.split("\t", -1)));
        }
    }

    static String judge(String[] pair) {
        try {
            var range = VersionRange.createFromVersionSpec(pair[0]);
            boolean recommends = range.getRecommendedVersion() != null;
            return String.valueOf(recommends || range.containsVersion(new DefaultArtifactVersion(pair[1])));
        } catch (InvalidVersionSpecificationException refused) {
            return "\"range\"";
        }
    }
}
