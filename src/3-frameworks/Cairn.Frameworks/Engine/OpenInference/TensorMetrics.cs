using Cairn.Frameworks.Engine.Metrics;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>Tensor models under Triton's metric names and labels, so that its boards and autoscalers work unchanged.</summary>
internal static class TensorMetrics
{
    public static void Write(PrometheusText text, ModelRepository repository)
    {
        var versions = repository.Loaded.Select(version => (Labels: Labels(version), Counts: version.Statistics.Snapshot())).ToList();
        if (versions.Count == 0)
            return;
        Counter("nv_inference_request_success", "Number of successful inference requests, all batch sizes", counts => counts.Success.Count);
        Counter("nv_inference_request_failure", "Number of failed inference requests, all batch sizes", counts => counts.Fail.Count);
        Counter("nv_inference_count", "Number of inferences performed", counts => counts.Inferences);
        Counter("nv_inference_exec_count", "Number of model executions performed", counts => counts.Executions);
        Counter("nv_inference_request_duration_us", "Cumulative inference request duration in microseconds",
            counts => Microseconds(counts.Success));
        Counter("nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds",
            counts => Microseconds(counts.Queue));
        Counter("nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds",
            counts => Microseconds(counts.Input));
        Counter("nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds",
            counts => Microseconds(counts.Infer));
        Counter("nv_inference_compute_output_duration_us", "Cumulative inference compute output duration in microseconds",
            counts => Microseconds(counts.Output));
        Each("nv_inference_pending_request_count", "gauge", "Instantaneous number of pending requests awaiting execution per-model.",
            counts => counts.Pending);

        void Counter(string name, string help, Func<StatisticsSnapshot, double> value) => Each(name, "counter", help, value);

        void Each(string name, string type, string help, Func<StatisticsSnapshot, double> value)
        {
            text.Family(name, type, help);
            foreach (var (labels, counts) in versions)
                text.Sample(name, value(counts), labels);
        }
    }

    private static double Microseconds(DurationCount count) => count.Nanoseconds / 1000;

    private static (string, string)[] Labels(ModelVersion version) =>
        [("model", version.Name), ("version", version.VersionText), .. version.Config.MetricTags.Select(tag => (tag.Key, tag.Value))];
}
