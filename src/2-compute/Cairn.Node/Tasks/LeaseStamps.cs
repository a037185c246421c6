using System.Globalization;
using Cairn.Node.Durable;

namespace Cairn.Node.Tasks;

/// <summary>
/// When each task's lease was last renewed, as timestamps of the boot clock. A lease counts from the moment at which the renewed heartbeat
/// was sent, because the server counted from a later one. The stamps are kept on disk, so a daemon that starts again does not lengthen a
/// lease.
/// </summary>
internal sealed class LeaseStamps
{
    private readonly string _file;
    private readonly string _bootId;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _stamps = new(StringComparer.Ordinal);

    public LeaseStamps(string file, string bootId)
    {
        (_file, _bootId) = (file, bootId);
        var lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        if (lines.FirstOrDefault() != bootId)
            return;
        foreach (var words in lines.Skip(1).Select(line => line.Split(' ')).Where(words => words.Length == 2))
        {
            if (long.TryParse(words[1], CultureInfo.InvariantCulture, out var stamp))
                _stamps[words[0]] = stamp;
        }
    }

    /// <summary>The last stamp of a task; null where it was never renewed in this boot.</summary>
    public long? Of(string taskId)
    {
        lock (_gate)
            return _stamps.TryGetValue(taskId, out var stamp) ? stamp : null;
    }

    public void Renew(IEnumerable<string> taskIds, long sentAt)
    {
        lock (_gate)
        {
            foreach (var id in taskIds)
                _stamps[id] = Math.Max(sentAt, _stamps.GetValueOrDefault(id));
            Write();
        }
    }

    public void Forget(string taskId)
    {
        lock (_gate)
        {
            if (_stamps.Remove(taskId))
                Write();
        }
    }

    private void Write() => AtomicFile.Write(_file, _bootId + "\n" + string.Concat(
        _stamps.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}\n"))));
}
