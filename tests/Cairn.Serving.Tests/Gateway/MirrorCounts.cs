using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Mirroring;

namespace Cairn.Serving.Tests.Gateway;

/// <summary>What the metrics say of one project's mirrors, by the last word of the metric's name and its outcome or reason.</summary>
internal sealed class MirrorCounts : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new();

    public MirrorCounts(ProjectId project)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MirrorInstruments.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) =>
        {
            var (name, mine) = (instrument.Name[(instrument.Name.LastIndexOf('.') + 1)..], false);
            foreach (var (key, value) in tags)
            {
                mine |= key == "project" && (string?)value == project.ToString();
                name += key is "outcome" or "reason" ? " " + value : "";
            }
            if (mine)
                _counts.AddOrUpdate(name, count, (_, before) => before + count);
        });
        _listener.Start();
    }

    public long this[string name] => _counts.GetValueOrDefault(name);

    public void Dispose() => _listener.Dispose();
}
