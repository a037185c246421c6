using Cairn.Frameworks.Engine.Hosting;

namespace Cairn.Frameworks.Engine.Metrics;

/// <summary>Language models under vLLM's names and labels, so that its boards, routers and autoscalers work unchanged.</summary>
internal static class LanguageModelMetrics
{
    public static void Write(PrometheusText text, LoadedModels loaded)
    {
        var models = loaded.All<ServedLanguageModel>().Select(model =>
            new Snapshot(model.Name, model.Model.Statistics, model.Metrics)).ToList();
        if (models.Count == 0)
            return;
        Gauge("vllm:num_requests_running", "Number of requests in model execution batches.", model => model.Engine.Running);
        Gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", model => model.Engine.Waiting);
        Gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", model => model.Engine.CacheUsage);
        Counter("vllm:prefix_cache_queries_total", "Prefix cache queries, in terms of number of queried tokens.", model =>
            model.Engine.PrefixQueries);
        Counter("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.", model =>
            model.Engine.PrefixHits);
        Counter("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.", model => model.Engine.Preemptions);
        Counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.", model => model.Engine.PromptTokens);
        Counter("vllm:generation_tokens_total", "Number of generation tokens processed.", model => model.Engine.GeneratedTokens);
        text.Family("vllm:request_success_total", "counter", "Count of successfully processed requests.");
        foreach (var model in models)
        {
            foreach (var end in Enum.GetValues<RequestEnd>())
                text.Sample("vllm:request_success_total", model.Requests.Ended(end), [.. model.Labels, ("finished_reason", Word(end))]);
        }

        Histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", metrics => metrics.FirstToken);
        Histogram("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", metrics => metrics.BetweenTokens);
        Histogram("vllm:time_per_output_token_seconds", "The same under its name before inter_token_latency_seconds.", metrics =>
            metrics.BetweenTokens);
        Histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", metrics => metrics.EndToEnd);
        Histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", metrics => metrics.PromptTokens);
        Histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", metrics => metrics.OutputTokens);
        Histogram("vllm:request_params_n", "Histogram of the n request parameter.", metrics => metrics.Choices);

        void Gauge(string name, string help, Func<Snapshot, double> value) => Each(name, "gauge", help, value);
        void Counter(string name, string help, Func<Snapshot, double> value) => Each(name, "counter", help, value);
        void Each(string name, string type, string help, Func<Snapshot, double> value)
        {
            text.Family(name, type, help);
            foreach (var model in models)
                text.Sample(name, value(model), model.Labels);
        }

        void Histogram(string name, string help, Func<RequestMetrics, Histogram> histogram)
        {
            text.Family(name, "histogram", help);
            foreach (var model in models)
                text.Histogram(name, histogram(model.Requests), model.Labels);
        }
    }

    private static string Word(RequestEnd end) => end switch
    {
        RequestEnd.Stop => "stop",
        RequestEnd.Length => "length",
        RequestEnd.Abort => "abort",
        _ => "error",
    };

    private sealed record Snapshot(string Name, EngineStatistics Engine, RequestMetrics Requests)
    {
        public (string, string)[] Labels { get; } = [("model_name", Name), ("engine", "0")];
    }
}
