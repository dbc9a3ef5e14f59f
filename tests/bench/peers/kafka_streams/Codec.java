
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Decodes each request whole and encodes a result of ordinary size, exactly once, on one thread.
 *
 * <p>Arguments: bootstrap, input, output, application id, records, folder. The folder has `request.avsc`,
 * `result.avsc` and `result.bin`: the body of the result that is encoded for every request. Prints the seconds from
 * the first record to the last.
 */
public final class Codec {
  private static final int PREFIX = 5;

  private static long first; // one thread handles all partitions
  private static long last;
  private static long left;

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[5]);
    Schema request = new Schema.Parser().parse(Files.readString(folder.resolve("request.avsc")));
    Schema result = new Schema.Parser().parse(Files.readString(folder.resolve("result.avsc")));
    byte[] template = Files.readAllBytes(folder.resolve("result.bin"));
    CountDownLatch done = new CountDownLatch(1);
    left = Long.parseLong(args[4]);

    Topology topology = new Topology();
    topology.addSource("requests", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), args[1]);
    topology.addProcessor("codec", () -> new Recode(request, result, template, done), "requests");
    topology.addSink(
        "results", args[2], Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "codec");
    try (KafkaStreams streams = new KafkaStreams(topology, settings(args[0], args[3], folder))) {
      streams.start();
      done.await();
    }
    System.out.println((last - first) / 1e9);
  }

  private static Properties settings(String bootstrap, String application, Path folder) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("state").toString());
    settings.put(StreamsConfig.consumerPrefix("max.poll.records"), 2000);
    settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
    settings.put(StreamsConfig.producerPrefix("linger.ms"), 20);
    settings.put(StreamsConfig.producerPrefix("batch.size"), 262_144);
    return settings;
  }

  private static final class Recode implements Processor<byte[], byte[], byte[], byte[]> {
    private final GenericDatumReader<GenericRecord> read;
    private final GenericDatumWriter<GenericRecord> write;
    private final GenericRecord result;
    private final CountDownLatch done;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(2048);
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;
    private ProcessorContext<byte[], byte[]> context;

    Recode(Schema request, Schema answer, byte[] template, CountDownLatch done) {
      this.read = new GenericDatumReader<>(request);
      this.write = new GenericDatumWriter<>(answer);
      this.done = done;
      try {
        BinaryDecoder body = DecoderFactory.get().binaryDecoder(template, null);
        this.result = new GenericDatumReader<GenericRecord>(answer).read(null, body);
      } catch (IOException error) {
        throw new IllegalStateException(error);
      }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      if (first == 0) {
        first = System.nanoTime();
      }
      try {
        byte[] value = record.value();
        decoder = DecoderFactory.get().binaryDecoder(value, PREFIX, value.length - PREFIX, decoder);
        GenericRecord request = read.read(null, decoder);
        result.put("request_id", request.get("request_id"));
        bytes.reset();
        bytes.write(value, 0, PREFIX);
        encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
        write.write(result, encoder);
        encoder.flush();
        context.forward(record.withValue(bytes.toByteArray()));
      } catch (IOException error) {
        throw new IllegalStateException(error);
      }
      if (--left == 0) {
        last = System.nanoTime();
        done.countDown();
      }
    }
  }
}
