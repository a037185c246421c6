using System.Globalization;
using System.Numerics;
using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

/// <summary>Decimal numbers within bounds, digit by digit: while the digits so far equal a bound's, it limits the next one.</summary>
internal sealed class NumberWriter(Nfa nfa, bool isInteger, int maximumDigits)
{
    public Fragment Between(Bound? low, Bound? high)
    {
        var number = nfa.New();
        var zero = new Bound(0, 0, false);
        if (low is null || low.Value.CompareTo(zero) < 0)
        {
            var minus = nfa.State();
            nfa.Range(number.Start, '-', '-', minus);
            Magnitudes(minus, high is { } h && h.CompareTo(zero) <= 0 ? h.Negated : zero, low?.Negated, number.End);
        }
        if (high is null || high.Value.CompareTo(zero) >= 0)
            Magnitudes(number.Start, low is { } l && l.CompareTo(zero) >= 0 ? l : zero, high, number.End);
        return number;
    }

    /// <summary>Numbers without a sign between two that have none.</summary>
    private void Magnitudes(int from, Bound low, Bound? high, int to)
    {
        var (lowWhole, lowFraction) = low.Parts();
        var most = BigInteger.Pow(10, Math.Max(maximumDigits, Text(lowWhole).Length + 1)) - 1;
        var (highWhole, highFraction) = high?.Parts() ?? (most, "");
        var highFrom = high is null ? null : highFraction;
        if (isInteger)
        {
            if (lowFraction != "" || low.IsExclusive) lowWhole++;
            if (high is { IsExclusive: true } && highFraction == "") highWhole--;
            Wholes(from, lowWhole, highWhole, to);
            return;
        }
        if (high is not null && lowWhole == highWhole)
        {
            Whole(from, lowWhole, new Fractions(this, lowFraction, low.IsExclusive, highFrom, high.Value.IsExclusive), to);
            return;
        }
        Whole(from, lowWhole, new Fractions(this, lowFraction, low.IsExclusive, null, false), to);
        if (high is not null) Whole(from, highWhole, new Fractions(this, "", false, highFrom, high.Value.IsExclusive), to);
        var (between, after) = (nfa.State(), high is null ? highWhole : highWhole - 1);
        Wholes(from, lowWhole + 1, after, between);
        new Fractions(this, "", false, null, false).Write(between, to);
    }

    private void Whole(int from, BigInteger whole, Fractions fractions, int to)
    {
        if (whole < 0) return;
        var point = nfa.State();
        nfa.Text(from, System.Text.Encoding.ASCII.GetBytes(Text(whole)), point);
        fractions.Write(point, to);
    }

    private void Wholes(int from, BigInteger low, BigInteger high, int to)
    {
        low = BigInteger.Max(low, 0);
        if (low > high) return;
        var free = new Dictionary<int, int> { [0] = to };
        for (var length = Text(low).Length; length <= Text(high).Length; length++)
        {
            var least = BigInteger.Max(low, length == 1 ? 0 : BigInteger.Pow(10, length - 1));
            var greatest = BigInteger.Min(high, BigInteger.Pow(10, length) - 1);
            if (least <= greatest) SameLength(from, Text(least), Text(greatest), free);
        }
    }

    /// <summary>Digits of one length between two. States that no bound limits any more are shared by how many digits are left.</summary>
    private void SameLength(int from, string low, string high, Dictionary<int, int> free)
    {
        var states = new Dictionary<(bool, bool), int> { [(true, true)] = from };
        for (var i = 0; i < low.Length; i++)
        {
            var next = new Dictionary<(bool, bool), int>();
            foreach (var ((atLow, atHigh), state) in states)
            {
                for (var digit = atLow ? low[i] : '0'; digit <= (atHigh ? high[i] : '9'); digit++)
                {
                    var bounds = (atLow && digit == low[i], atHigh && digit == high[i]);
                    var isLast = i == low.Length - 1;
                    if (isLast || bounds == (false, false)) nfa.Range(state, digit, digit, Free(low.Length - 1 - i, free));
                    else
                    {
                        if (!next.TryGetValue(bounds, out var target)) target = next[bounds] = nfa.State();
                        nfa.Range(state, digit, digit, target);
                    }
                }
            }
            states = next;
        }
    }

    private int Free(int digits, Dictionary<int, int> free)
    {
        if (free.TryGetValue(digits, out var known)) return known;
        var state = free[digits] = nfa.State();
        nfa.Range(state, '0', '9', Free(digits - 1, free));
        return state;
    }

    private static string Text(BigInteger value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>What may follow a whole part: nothing, or a point and digits, within bounds on their value.</summary>
    private sealed class Fractions(NumberWriter writer, string low, bool lowExclusive, string? high, bool highExclusive)
    {
        private readonly int _digits = Math.Max(writer.MaximumDigits, Math.Max(low.Length, high?.Length ?? 0) + 1);

        public void Write(int from, int to)
        {
            var nfa = writer.States;
            var point = nfa.State();
            if (MayEnd(0, true, high is not null)) nfa.Skip(from, to);
            nfa.Range(from, '.', '.', point);
            var states = new Dictionary<(bool AtLow, bool AtHigh), int> { [(true, high is not null)] = point };
            for (var i = 0; i < _digits; i++)
            {
                var next = new Dictionary<(bool AtLow, bool AtHigh), int>();
                foreach (var ((atLow, atHigh), state) in states)
                {
                    for (var digit = atLow ? Digit(low, i) : '0'; digit <= (atHigh ? Digit(high!, i) : '9'); digit++)
                    {
                        var bounds = (atLow && digit == Digit(low, i), atHigh && digit == Digit(high!, i));
                        if (!next.TryGetValue(bounds, out var target)) target = next[bounds] = nfa.State();
                        nfa.Range(state, digit, digit, target);
                    }
                }
                foreach (var ((atLow, atHigh), state) in next)
                    if (MayEnd(i + 1, atLow, atHigh)) nfa.Skip(state, to);
                states = next;
            }
        }

        /// <summary>A bound's digits go on as zeros, as the number's do.</summary>
        private static char Digit(string digits, int index) => index < digits.Length ? digits[index] : '0';

        private bool MayEnd(int said, bool atLow, bool atHigh)
        {
            var (lowRest, highRest) = (said < low.Length, high is not null && said < high.Length); // a last digit is not zero
            return (!atLow || (!lowRest && !lowExclusive)) && (!atHigh || highRest || !highExclusive);
        }
    }

    private Nfa States => nfa;
    private int MaximumDigits => maximumDigits;
}
