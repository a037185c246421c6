using Google.OrTools.Sat;

namespace Cairn.Planning.Pipelines;

/// <summary>
/// The placement problem as an integer programme for CP-SAT, in micro-dollars. Each step takes one option. An option pays the internet price of its
/// outgoing data; a literal per option and edge that is true where the reader is in its region, or elsewhere at its provider, pays the difference.
/// One worker and a fixed seed make it repeatable.
/// </summary>
internal static class SolverPlacement
{
    /// <summary>CP-SAT refuses objectives whose terms could overflow 64 bits together.</summary>
    private const long MaxObjective = 1L << 60;

    /// <summary>In the solver's own units, close to seconds. Far beyond what pruned problems take; past it the best placement found stands.</summary>
    private const double MaxEffort = 30;

    /// <param name="hint">A placement that is the answer unless a cheaper one is found.</param>
    public static int[] Solve(PlacementProblem problem, int[] hint)
    {
        var programme = new Programme(problem, problem.Cost(hint));
        var solver = new CpSolver
        {
            StringParameters = string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"num_workers:1 random_seed:1 max_deterministic_time:{MaxEffort}"),
        };
        var status = solver.Solve(programme.Model(hint));
        if (status is not (CpSolverStatus.Optimal or CpSolverStatus.Feasible))
            return hint;
        var chosen = programme.Read(solver);
        return problem.Cost(chosen) < problem.Cost(hint) ? chosen : hint;
    }

    private sealed class Programme
    {
        private readonly CpModel _model = new();
        private readonly PlacementProblem _problem;
        private readonly long _upper;
        private readonly BoolVar[][] _at;
        private readonly List<BoolVar> _paying = [];
        private readonly List<long> _cost = [];

        public Programme(PlacementProblem problem, long upper)
        {
            _problem = problem;
            _upper = upper;
            _at = [.. problem.Steps.Select((s, i) => Enumerable.Range(0, s.Count).Select(o => _model.NewBoolVar($"s{i}o{o}")).ToArray())];
            foreach (var step in _at)
                _model.AddExactlyOne(step);
            AddSteps();
            foreach (var edge in problem.Edges)
                AddEdge(edge);
        }

        public CpModel Model(int[] hint)
        {
            var reach = _cost.Aggregate((Int128)0, (sum, c) => sum + Math.Abs(c));
            var scale = (long)(reach / MaxObjective) + 1;
            _model.Minimize(LinearExpr.WeightedSum(_paying, _cost.ConvertAll(c => c / scale)));
            for (var s = 0; s < _at.Length; s++)
            {
                for (var o = 0; o < _at[s].Length; o++)
                    _model.AddHint(_at[s][o], o == hint[s] ? 1 : 0);
            }

            return _model;
        }

        public int[] Read(CpSolver solver) => Array.ConvertAll(_at, step => Array.FindIndex(step, literal => solver.BooleanValue(literal)));

        /// <summary>Each step's bills less its smallest, which every placement pays alike: small numbers solve faster.</summary>
        private void AddSteps()
        {
            for (var s = 0; s < _at.Length; s++)
            {
                var least = _problem.Steps[s].Own.Min();
                for (var o = 0; o < _at[s].Length; o++)
                    Pay(_at[s][o], _problem.Steps[s].Own[o] - least);
            }
        }

        private void AddEdge(PlacementEdge edge)
        {
            var (from, to) = (_problem.Steps[edge.From], _problem.Steps[edge.To]);
            var byRegion = Enumerable.Range(0, to.Count).ToLookup(o => to.Region[o]);
            var byProvider = Enumerable.Range(0, to.Count).ToLookup(o => to.Provider[o]);
            for (var o = 0; o < from.Count; o++)
            {
                // Nothing dearer than the upper bound is in a cheapest placement, so a price beyond it need not be exact.
                var internet = Math.Min(edge.Internet[o], _upper + 1);
                var crossRegion = Math.Min(edge.CrossRegion[o], _upper + 1);
                var region = from.Region[o];
                Pay(_at[edge.From][o], internet);
                PayTogether(edge, o, [.. byRegion[region]], -internet);
                PayTogether(edge, o, [.. byProvider[from.Provider[o]].Where(b => to.Region[b] != region)], crossRegion - internet);
            }
        }

        /// <summary>Pays where the writer is at the option and the reader at one of the others.</summary>
        private void PayTogether(PlacementEdge edge, int option, int[] readers, long cost)
        {
            if (readers.Length == 0 || cost == 0)
                return;
            var writer = _at[edge.From][option];
            var reader = LinearExpr.Sum(readers.Select(b => _at[edge.To][b]));
            var both = _model.NewBoolVar("");
            if (cost < 0)
            {
                // A saving is taken wherever it may be.
                _model.AddImplication(both, writer);
                _model.Add(reader >= both);
            }
            else
            {
                // A surcharge is avoided wherever it may be.
                _model.Add(both >= writer + reader - 1);
            }

            Pay(both, cost);
        }

        private void Pay(BoolVar literal, long cost)
        {
            if (cost == 0)
                return;
            _paying.Add(literal);
            _cost.Add(cost);
        }
    }
}
