/*
 * A Gaussian process at a few times: matrices of covariances, their Cholesky factor, paths, conditioning.
 * A matrix is an array of rows. `k(s, t)` is a covariance function with its parameters filled in.
 */
const gaussian = {
  matrix(k, rows, columns) {
    return rows.map((s) => columns.map((t) => k(s, t)));
  },

  /*
   * The lower factor L of A + ridge I, or null where A is no covariance matrix. With A positive semi-definite
   * no pivot is below the ridge, so one that rounding has pushed below is put back.
   */
  cholesky(A, ridge) {
    const scale = Math.max(...A.map((row, i) => row[i]), ridge);
    const L = A.map((row) => new Float64Array(row.length));
    for (let j = 0; j < A.length; j++) {
      for (let i = j; i < A.length; i++) {
        let rest = A[i][j];
        for (let k = 0; k < j; k++) rest -= L[i][k] * L[j][k];
        if (i > j) L[i][j] = rest / L[j][j];
        else if (rest >= -1e-6 * scale) L[j][j] = Math.sqrt(Math.max(rest + ridge, ridge));
        else return null;
      }
    }
    return L;
  },

  /* The solution x of L x = b. */
  solve(L, b) {
    const x = new Float64Array(b.length);
    for (let i = 0; i < b.length; i++) {
      let rest = b[i];
      for (let k = 0; k < i; k++) rest -= L[i][k] * x[k];
      x[i] = rest / L[i][i];
    }
    return x;
  },

  dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  },

  /* A path from standard normal draws z: L z, plus a mean. */
  path(L, z, mean) {
    return L.map((row, i) => gaussian.dot(row, z) + (mean ? mean[i] : 0));
  },

  /*
   * Given values at some times, with independent errors of variance `noise`: mean and covariance of the process
   * at the times of `grid`, and the log density of the values (Rasmussen and Williams 2006, algorithm 2.1).
   */
  condition(k, times, values, noise, grid) {
    const L = gaussian.cholesky(gaussian.matrix(k, times, times), noise);
    if (!L) return null;
    const whitened = gaussian.solve(L, values);
    const across = grid.map((t) => gaussian.solve(L, times.map((s) => k(s, t))));
    const logDeterminant = 2 * L.reduce((sum, row, i) => sum + Math.log(row[i]), 0);
    return {
      mean: across.map((column) => gaussian.dot(column, whitened)),
      covariance: grid.map((s, i) => grid.map((t, j) => k(s, t) - gaussian.dot(across[i], across[j]))),
      logLikelihood: -(gaussian.dot(whitened, whitened) + logDeterminant + times.length * Math.log(2 * Math.PI)) / 2,
    };
  },
};
