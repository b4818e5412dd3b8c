// veraPDF without its distribution: validates files against flavours, one line of result for each pair.
// java -cp 'LIBRARIES/*' Validate.java ua1,2a FILE...   →   FILE <tab> FLAVOUR <tab> true|false <tab> failed rules
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

public class Validate {
  public static void main(String[] args) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    for (int i = 1; i < args.length; i++) {
      for (String name : args[0].split(",")) {
        System.out.println(args[i] + "\t" + name + "\t" + check(args[i], PDFAFlavour.byFlavourId(name)));
      }
    }
  }

  private static String check(String path, PDFAFlavour flavour) {
    try (InputStream file = new FileInputStream(path);
        PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
        PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
      ValidationResult result = validator.validate(parser);
      TreeSet<String> failed = new TreeSet<>();
      for (TestAssertion assertion : result.getTestAssertions()) {
        if (assertion.getStatus() == TestAssertion.Status.FAILED) {
          failed.add(assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber() + ": "
              + assertion.getMessage().replaceAll("\\s+", " "));
        }
      }
      return result.isCompliant() + "\t" + String.join("; ", failed);
    } catch (Exception e) {
      return "false\t" + e.getClass().getSimpleName() + ": " + String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    }
  }
}
