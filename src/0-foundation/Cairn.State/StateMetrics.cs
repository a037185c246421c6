using System.Diagnostics.Metrics;

namespace Cairn.State;

/// <summary>The meter <c>Cairn.State</c>. Names of OpenTelemetry's database conventions first.</summary>
internal static class StateMetrics
{
    private static readonly Meter s_meter = new("Cairn.State");

    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>(
        "db.client.operation.duration", "s", "From asking to durable (write) or to the answer (read).");

    private static readonly Histogram<int> s_batch =
        s_meter.CreateHistogram<int>("cairn.state.batch.size", "{work}", "Works committed together.");

    private static readonly Counter<long> s_conflicts = s_meter.CreateCounter<long>(
        "cairn.state.conflicts", "{batch}", "Batches run again since another server's transaction got in the way.");

    private static readonly Histogram<double> s_turn =
        s_meter.CreateHistogram<double>("cairn.reconciler.duration", "s", "One turn of a reconciler.");

    public static void Reconciled(string name, TimeSpan elapsed) =>
        s_turn.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("cairn.reconciler.name", name));

    public static void Written(string system, TimeSpan elapsed, Exception? error) => Record(system, "write", elapsed, error);

    public static void Read(string system, TimeSpan elapsed, Exception? error) => Record(system, "read", elapsed, error);

    public static void Batch(string system, int works) =>
        s_batch.Record(works, new KeyValuePair<string, object?>("db.system.name", system));

    public static void Conflict(string system) => s_conflicts.Add(1, new KeyValuePair<string, object?>("db.system.name", system));

    private static void Record(string system, string operation, TimeSpan elapsed, Exception? error)
    {
        if (!s_duration.Enabled)
            return;
        var name = new KeyValuePair<string, object?>("db.system.name", system);
        var verb = new KeyValuePair<string, object?>("db.operation.name", operation);
        if (error is null)
            s_duration.Record(elapsed.TotalSeconds, name, verb);
        else
            s_duration.Record(elapsed.TotalSeconds, name, verb, new KeyValuePair<string, object?>("error.type", ErrorType(error)));
    }

    private static string ErrorType(Exception error) => error is StoreException store ? store.Fault.ToString() : error.GetType().Name;
}
