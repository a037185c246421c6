using System.Globalization;
using Cairn.Node.Durable;

namespace Cairn.Node.Tasks;

/// <summary>The last tasks that are over and forgotten, so that a late copy of a command does not run one again.</summary>
internal sealed class FinishedTasks
{
    private const int Most = 4096;

    private readonly string _file;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);

    public FinishedTasks(string file)
    {
        _file = file;
        var lines = File.Exists(file) ? File.ReadLines(file).TakeLast(Most).ToList() : [];
        foreach (var words in lines.Select(l => l.Split(' ')).Where(w => w.Length == 2))
            _epochs[words[0]] = long.TryParse(words[1], CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;
        AtomicFile.Write(file, string.Concat(lines.Select(l => l + "\n")));
    }

    public void Add(string taskId, long epoch)
    {
        lock (_gate)
        {
            _epochs[taskId] = epoch;
            try
            {
                File.AppendAllText(_file, string.Create(CultureInfo.InvariantCulture, $"{taskId} {epoch}\n"));
            }
            catch (IOException)
            {
                // On a full disk it is remembered until the daemon's end, which is when late copies come.
            }
        }
    }

    /// <summary>True where this or a later epoch of the task is over.</summary>
    public bool Covers(string taskId, long epoch)
    {
        lock (_gate)
            return _epochs.TryGetValue(taskId, out var last) && epoch <= last;
    }
}
