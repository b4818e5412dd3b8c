// Solr without its distribution: the same Jetty runner that Solr's own tests use, as CKAN's search server.
import java.util.Properties;
import org.apache.solr.embedded.JettyConfig;
import org.apache.solr.embedded.JettySolrRunner;

public class SolrServer {
  public static void main(String[] args) throws Exception {
    JettyConfig config =
        JettyConfig.builder().setContext("/solr").setPort(Integer.parseInt(args[1])).build();
    JettySolrRunner solr = new JettySolrRunner(args[0], new Properties(), config);
    solr.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { solr.stop(); } catch (Exception e) { e.printStackTrace(); }
    }));
    System.out.println("Solr listens on 127.0.0.1:" + solr.getLocalPort());
    Thread.currentThread().join();
  }
}
