using System.Globalization;
using Cairn.Node.Durable;

namespace Cairn.Node.Tasks;

/// <summary>
/// When the control plane last vouched for this node's leases. A lease counts from the moment the renewed request was sent, because the
/// server counted from a later one. The stamp is kept on disk, so a daemon that starts again does not lengthen a lease.
/// </summary>
internal sealed class LeaseContact
{
    private readonly string _file;
    private readonly string _bootId;
    private readonly Lock _writing = new();
    private long _stamp;

    public LeaseContact(string file, string bootId, TimeProvider clock)
    {
        (_file, _bootId) = (file, bootId);
        _stamp = Read() ?? clock.GetTimestamp();
    }

    /// <summary>A timestamp of the boot clock.</summary>
    public long Stamp => Interlocked.Read(ref _stamp);

    /// <summary>A request sent at <paramref name="sentAt"/> was answered.</summary>
    public void Renew(long sentAt)
    {
        lock (_writing)
        {
            if (sentAt <= _stamp)
                return;
            Interlocked.Exchange(ref _stamp, sentAt);
            AtomicFile.Write(_file, string.Create(CultureInfo.InvariantCulture, $"{sentAt} {_bootId}"));
        }
    }

    private long? Read()
    {
        if (!File.Exists(_file))
            return null;
        var words = File.ReadAllText(_file).Split(' ');
        return words.Length == 2 && words[1] == _bootId && long.TryParse(words[0], CultureInfo.InvariantCulture, out var stamp) ? stamp : null;
    }
}
