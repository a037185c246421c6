using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Cairn.Serving.Gateways;

/// <summary>The gateways that run alone, as this server sees them now. Safe for concurrent use.</summary>
internal sealed class GatewayBoard(TimeProvider time)
{
    /// <summary>A gateway that was not heard of for this long counts no more among those that share rates.</summary>
    private static readonly TimeSpan s_counts = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<Guid, GatewayRow> _rows = new();
    private readonly ConcurrentDictionary<Guid, GatewaySeat> _seats = new();
    private int _parties = 1;

    /// <summary>More or fewer gateways share rates than before.</summary>
    public event Action? Changed;

    /// <summary>How many share rates and budgets, the server's own counted.</summary>
    public int Parties => Volatile.Read(ref _parties);

    public IReadOnlyCollection<GatewayRow> All => [.. _rows.Values.OrderBy(row => row.JoinedAt)];

    /// <summary>Those that follow this server.</summary>
    public IReadOnlyCollection<Guid> Connected => [.. _seats.Keys];

    public bool IsConnected(Guid id) => _seats.ContainsKey(id);

    public void Seen(IEnumerable<GatewayRow> rows)
    {
        foreach (var row in rows)
            _rows[row.Id] = row;
        Count();
    }

    /// <summary>Counts again who shares: silence alone ends it too.</summary>
    public void Count()
    {
        var now = time.GetUtcNow();
        var parties = 1 + _rows.Values.Count(row => !row.Departed && (IsConnected(row.Id) || now - row.SeenAt < s_counts));
        if (Interlocked.Exchange(ref _parties, parties) != parties)
            Changed?.Invoke();
    }

    /// <summary>A gateway follows the feed; one that followed before as the same ends.</summary>
    public GatewaySeat Sit(Guid id)
    {
        var seat = new GatewaySeat();
        GatewaySeat? older = null;
        _seats.AddOrUpdate(id, seat, (_, was) => (older = was, seat).seat);
        older?.Lines.Writer.TryComplete();
        return seat;
    }

    public void Leave(Guid id, GatewaySeat seat) => _seats.TryRemove(new KeyValuePair<Guid, GatewaySeat>(id, seat));

    /// <summary>Tells one gateway, where it follows; lines beyond those that wait already are dropped.</summary>
    public void Tell(Guid id, FeedLine line)
    {
        if (_seats.TryGetValue(id, out var seat))
            seat.Lines.Writer.TryWrite(line);
    }

    /// <summary>What people call it.</summary>
    public string NameOf(Guid id) => _rows.TryGetValue(id, out var row) ? row.Name : id.ToString();
}

/// <summary>One that follows the feed, and the lines that wait for it.</summary>
internal sealed class GatewaySeat
{
    public Channel<FeedLine> Lines { get; } = Channel.CreateBounded<FeedLine>(new BoundedChannelOptions(100) { FullMode = BoundedChannelFullMode.DropWrite });
}
